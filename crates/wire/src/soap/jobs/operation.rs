//! The operations of lists and jobs.

macro_rules! job_operations {
    ($($(#[$doc:meta])* $name:ident = $element:literal;)*) => {
        /// An operation of lists and jobs, by its element.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum JobOperation { $($(#[$doc])* $name,)* }

        impl JobOperation {
            /// Every operation, in the order of the WSDL.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The element's local name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $element),* }
            }

            /// The local name of its answer's element.
            pub const fn answer(self) -> &'static str {
                match self { $(Self::$name => concat!($element, "Response")),* }
            }

            /// From the local name of an element.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($element => Some(Self::$name),)* _ => None }
            }
        }
    };
}
job_operations! {
    /// A list by place.
    ByPlace = "CungCapDanhSachTheoDiaPhuong";
    /// A list by age.
    ByAge = "CungCapDanhSachTheoDoTuoi";
    /// A list by blood group.
    ByBlood = "CungCapDanhSachTheoNhomMau";
    /// A list by sex.
    BySex = "CungCapDanhSachTheoGioiTinh";
    /// A list by ethnicity.
    ByEthnicity = "CungCapDanhSachTheoDanToc";
    /// A list by religion.
    ByReligion = "CungCapDanhSachTheoTonGiao";
    /// The system's jobs.
    Jobs = "GetRequests";
    /// Where a job stands.
    Status = "GetRequestStatus";
    /// What came of a job: counts and pages.
    Result = "GetRequestResult";
    /// A page of citizens.
    Records = "GetResultDetailAsRecords";
    /// A page as a file.
    File = "GetResultDetailAsFile";
    /// What was asked.
    Detail = "GetRequestDetail";
    /// The states a job went through.
    History = "GetRequestHistory";
    /// Ends a job and deletes it with its result.
    Delete = "DeleteRequest";
}

impl JobOperation {
    /// Whether it asks for a list.
    pub const fn is_list(self) -> bool {
        matches!(
            self,
            Self::ByPlace
                | Self::ByAge
                | Self::ByBlood
                | Self::BySex
                | Self::ByEthnicity
                | Self::ByReligion
        )
    }
}
