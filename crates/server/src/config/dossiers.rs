//! Files that units bring: the section `[dossiers]`.

use super::keys::section;

/// MiB of a file at most: what `dancu_papers::sniff` takes of its largest kind.
const MEGABYTES_MAX: u32 = (dancu_papers::sniff::BYTES_MAX >> 20) as u32;

section! {
    /// `[dossiers]`: how large files may be, and what scans them.
    DossierConfig {
        file_megabytes = "fileMegabytes": u32 = MEGABYTES_MAX, "",
            "Dung lượng tối đa của một tệp đính kèm, MB, từ 1 đến 20.",
            "The largest file that is taken, MB, from 1 to 20.";
        scanner = "scanner": Vec<String> = vec![], "[\"/usr/bin/clamdscan\", \"-\"]",
            "Lệnh quét mã độc và tham số: đọc tệp ở đầu vào chuẩn; mã thoát 0 là sạch, 1 là từ \
             chối, khác là chưa quét được. Danh sách rỗng: không quét, trang hiện “chưa quét”.",
            "Command that scans for malware, with its arguments: it reads the file on standard \
             input and ends with 0 (clean), 1 (refused) or anything else (undecided). An empty \
             list: files are not scanned, and pages say so.";
        scan_seconds = "scanSeconds": u32 = 60, "",
            "Thời gian tối đa cho một lần quét, giây, từ 1 đến 600; quá thời gian là chưa quét \
             được.",
            "The longest time of a scan, seconds, from 1 to 600; after it the file is undecided.";
        scans = "scans": u32 = 2, "",
            "Số lần quét chạy cùng lúc, từ 1 đến 16.",
            "Scans that run at the same time, from 1 to 16.";
    }
}

impl DossierConfig {
    /// Values that have the right type and are wrong all the same: key and why.
    pub fn wrong(&self) -> Vec<(&'static str, String)> {
        let rows = [
            (
                !(1..=MEGABYTES_MAX).contains(&self.file_megabytes),
                "fileMegabytes",
                "từ 1 đến 20 (from 1 to 20)",
            ),
            (
                self.scanner.first().is_some_and(|program| !program.starts_with('/')),
                "scanner",
                "cần đường dẫn đầy đủ của chương trình (the program's absolute path)",
            ),
            (
                !(1..=600).contains(&self.scan_seconds),
                "scanSeconds",
                "từ 1 đến 600 (from 1 to 600)",
            ),
            (!(1..=16).contains(&self.scans), "scans", "từ 1 đến 16 (from 1 to 16)"),
        ];
        let wrong = rows.into_iter().filter(|(is_wrong, ..)| *is_wrong);
        wrong.map(|(_, key, why)| (key, why.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_told() {
        let keys = |config: DossierConfig| -> Vec<&'static str> {
            config.wrong().into_iter().map(|(key, _)| key).collect()
        };
        assert!(keys(DossierConfig::default()).is_empty());
        let odd = DossierConfig {
            file_megabytes: MEGABYTES_MAX + 1,
            scanner: vec!["clamdscan".into()],
            scan_seconds: 0,
            scans: 0,
        };
        assert_eq!(keys(odd), ["fileMegabytes", "scanner", "scanSeconds", "scans"]);
    }
}
