//! The citizen's pages.

use std::error::Error;

use dancu_portal::citizen::{Data, Look, Looks, Month};

use super::{LONG_NAME, Preview};

impl Preview {
    /// Draws them.
    pub fn citizen(&self) -> Result<(), Box<dyn Error>> {
        let police = self.say(
            "Công an cấp xã ghi nhận ngày 12/03/2024",
            "Recorded by the police of the commune on 12/03/2024",
        );
        let fact = |key, value: &str| (key, value.to_owned(), police.clone());
        self.write(
            "my-data",
            &Data {
                t: self.t.clone(),
                s: self.shell("citizen", "/me/data"),
                facts: vec![
                    fact("field-personalId", "099301012345"),
                    fact("field-fullName", LONG_NAME),
                    fact("field-dateOfBirth", "03/02/2001"),
                    fact("field-permanentResidence", "Số 9, phường Hoa Mai Vàng, thành phố Mẫu"),
                ],
                refusal: None,
            },
        )?;
        let look = |key, fields| Look {
            time: "09:12 24/11/2026".into(),
            unit: "H26.001".into(),
            system: "ONESTOP".into(),
            key,
            service: self.t.get("service-citizen-lookup"),
            purpose: "Đăng ký thường trú".into(),
            case_code: "H26.001-260302-0099".into(),
            fields,
        };
        let told = vec!["field-fullName", "field-dateOfBirth", "field-permanentResidence"];
        self.write(
            "my-looks",
            &Looks {
                t: self.t.clone(),
                s: self.shell("citizen", "/me/looks"),
                months: vec![
                    Month {
                        name: "11/2026".into(),
                        looks: vec![look("my-looks-told", told), look("my-looks-refused", vec![])],
                    },
                    Month { name: "10/2026".into(), looks: vec![look("my-looks-checked", vec![])] },
                ],
                count: 3,
                more: true,
            },
        )?;
        let s = self.shell("citizen", "/me/looks");
        let empty = Looks { t: self.t.clone(), s, months: vec![], count: 0, more: false };
        self.write("my-looks-empty", &empty)
    }
}
