//! Why a dossier does not go on, in sentences.

use crate::rule::RuleId;

macro_rules! blocked {
    ($($(#[$doc:meta])* $name:ident = $rule:ident, $vi:literal, $en:literal, $do_vi:literal,
        $do_en:literal;)*) => {
        /// Why an act on a dossier is not carried out: nothing has changed then.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
        #[error("{} ({}; {})", self.vi(), self.en(), self.rule())]
        pub enum Blocked { $($(#[$doc])* $name),* }

        impl Blocked {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The rule behind it.
            #[must_use]
            pub const fn rule(self) -> RuleId {
                match self { $(Self::$name => RuleId::$rule),* }
            }

            /// What is so, in Vietnamese.
            #[must_use]
            pub const fn vi(self) -> &'static str {
                match self { $(Self::$name => $vi),* }
            }

            /// The same in English.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self { $(Self::$name => $en),* }
            }

            /// What to do, in Vietnamese.
            #[must_use]
            pub const fn what_to_do_vi(self) -> &'static str {
                match self { $(Self::$name => $do_vi),* }
            }

            /// The same in English.
            #[must_use]
            pub const fn what_to_do(self) -> &'static str {
                match self { $(Self::$name => $do_en),* }
            }
        }
    };
}

blocked! {
    /// The stage does not allow it.
    NotInThisStage = B3,
        "Hồ sơ không ở bước cho phép làm việc này.",
        "The dossier is not at a stage in which this can be done.",
        "Tải lại trang để xem hồ sơ đang ở bước nào.",
        "Load the page again to see where the dossier stands.";
    /// Something is missing in what would be signed or submitted.
    Incomplete = B2,
        "Hồ sơ hoặc giấy tờ chưa đủ nội dung.",
        "The dossier or the paper is not complete.",
        "Điền các mục còn thiếu trong danh sách rồi làm lại.",
        "Fill in what the list names, then try again.";
    /// The form has a newer edition.
    EditionChanged = B2,
        "Mẫu giấy tờ đã có bản mới kể từ khi bắt đầu lập.",
        "A form has a new edition since it was begun.",
        "Xác nhận chuyển nội dung đã lập sang hồ sơ nộp lần này, hoặc lập lại theo mẫu mới.",
        "Confirm that what was filled in is carried over, or fill in the new edition.";
    /// A comment has no answer.
    CommentsUnanswered = B3,
        "Còn góp ý chưa được trả lời.",
        "A comment has not been answered.",
        "Trả lời từng góp ý rồi nộp lại.",
        "Answer each comment, then submit again.";
    /// A comment is not resolved.
    CommentsOpen = B3,
        "Còn góp ý chưa được giải quyết.",
        "A comment has not been resolved.",
        "Đánh dấu đã giải quyết, hoặc yêu cầu đơn vị bổ sung.",
        "Mark it as resolved, or ask the unit for changes.";
    /// Who filled in or signed would decide.
    OwnDossier = B3,
        "Người lập hoặc ký hồ sơ không được thẩm định, phê duyệt hồ sơ đó.",
        "Who filled in or signed a dossier does not review or approve it.",
        "Chuyển cho người khác thẩm định.",
        "Leave it to somebody else.";
    /// One person would approve twice.
    SameApprover = A4,
        "Cần hai người phê duyệt khác nhau.",
        "Two different approvers are needed.",
        "Chuyển cho người phê duyệt thứ hai.",
        "Leave it to a second approver.";
    /// Who left out a step would approve.
    OwnExemption = B3,
        "Người ghi nhận miễn một bước không phê duyệt hồ sơ đó.",
        "Who recorded an exemption does not approve the dossier.",
        "Chuyển cho người khác phê duyệt.",
        "Leave it to somebody else.";
    /// A confirmation of the design of before.
    BeforeChange = C2,
        "Văn bản xác nhận có trước ngày thay đổi thiết kế.",
        "The confirmation is older than the change of design.",
        "Đề nghị kiểm tra, đánh giá lại thiết kế mới rồi ghi văn bản mới.",
        "Have the new design assessed, then enter the new confirmation.";
    /// The account list of a live connection.
    ListKept = E3,
        "Danh sách tài khoản của kết nối đang hoạt động không sửa trong hồ sơ.",
        "The account list of a live connection is not changed in its dossier.",
        "Thêm, sửa, thu hồi tài khoản ở trang danh sách tài khoản của hệ thống.",
        "Add, change and revoke accounts on the page of the system's accounts.";
    /// A step is open.
    StepsOpen = B3,
        "Còn bước chưa hoàn thành: tài liệu, kiểm thử hoặc kiểm tra an ninh, an toàn.",
        "Documents, sandbox or assessment are not closed yet.",
        "Hoàn thành bước còn lại, hoặc ghi nhận miễn có căn cứ.",
        "Close the open step, or record an exemption with its ground.";
    /// The step is closed.
    StepClosed = B3,
        "Bước này đã hoàn thành hoặc được miễn.",
        "The step is closed already.",
        "Tải lại trang để xem kết quả của bước.",
        "Load the page again to see how it was closed.";
    /// Evidence of another step.
    WrongEvidence = B3,
        "Bằng chứng không thuộc bước này.",
        "The evidence belongs to another step.",
        "Chọn đúng bước rồi ghi nhận lại.",
        "Choose the right step and record it again.";
    /// The assessment has no numbered confirmation.
    ConfirmationNeeded = C2,
        "Chỉ văn bản xác nhận có số, ngày của cơ quan công an mới hoàn thành bước này.",
        "Only the police's written confirmation with number and date closes the assessment.",
        "Ghi số và ngày của văn bản; kết quả quét của nhà cung cấp chỉ là tài liệu kèm theo.",
        "Enter number and date; scans of vendors are evidence only.";
    /// A date that has not come.
    DateAhead = C2,
        "Ngày của văn bản ở sau hôm nay.",
        "The date of the document has not come yet.",
        "Ghi đúng ngày ban hành trên văn bản.",
        "Enter the date on the document.";
    /// A paper was not checked.
    PartsUnchecked = B2,
        "Còn giấy tờ trong hồ sơ chưa được kiểm tra.",
        "A part of the dossier has not been checked.",
        "Kiểm tra đủ bốn thành phần hồ sơ rồi ghi nhận.",
        "Check all four parts first.";
    /// Tests of the connection failed, or none was run.
    ConformanceFailed = B3,
        "Kết quả kiểm thử kết nối chưa đạt.",
        "The conformance run did not pass.",
        "Chạy lại bộ kiểm thử đến khi mọi phép thử đạt.",
        "Run the suite again until every case passes.";
    /// A report was named and not handed in.
    ReportNeeded = B3,
        "Bước kiểm thử chỉ hoàn thành bằng báo cáo đã ký của môi trường thử.",
        "The sandbox step is closed only by the sandbox's signed report.",
        "Dán nguyên văn báo cáo đã ký ở trang lượt kiểm thử của môi trường thử.",
        "Paste the signed report, whole, from the page of the run in the sandbox.";
    /// No sandbox that is trusted signed it as it stands.
    ReportUnsigned = B3,
        "Báo cáo không có chữ ký đúng của môi trường thử được tin cậy, hoặc đã bị sửa.",
        "The report bears no valid signature of a trusted sandbox, or was altered.",
        "Chép lại nguyên văn báo cáo từ môi trường thử; vẫn bị từ chối thì hỏi bộ phận hỗ trợ.",
        "Copy the report again, whole, from the sandbox; if it is refused again, ask support.";
    /// A report for another unit or system.
    ReportForeign = B3,
        "Báo cáo kiểm thử của đơn vị hoặc hệ thống khác.",
        "The report is about another unit or system.",
        "Chạy kiểm thử cho đúng mã hệ thống ghi trong hồ sơ này rồi nộp báo cáo đó.",
        "Run the suite for the system code of this dossier and hand that report in.";
    /// The dossier wants services that were not tried.
    ReportServices = B3,
        "Báo cáo kiểm thử thiếu dịch vụ mà hồ sơ đăng ký.",
        "The run was without services that the dossier asks for.",
        "Lập hệ thống thử có đủ dịch vụ của hồ sơ, chạy kiểm thử lại rồi nộp báo cáo mới.",
        "Make a test system with all services of the dossier, run again, hand in the new report.";
    /// The report is too old, from before a change of design, or dated ahead.
    ReportOld = B3,
        "Báo cáo kiểm thử quá thời hạn, hoặc có trước lần thay đổi thiết kế.",
        "The report is too old, or from before the change of design.",
        "Chạy kiểm thử lại trên môi trường thử rồi nộp báo cáo mới.",
        "Run the suite in the sandbox again and hand in the new report.";
    /// The ground does not exempt from this step.
    GroundUnfit = C3,
        "Căn cứ này không cho miễn bước đã chọn.",
        "This ground does not exempt from that step.",
        "Chọn căn cứ khác, hoặc hoàn thành bước.",
        "Choose another ground, or close the step.";
    /// The confirmation is older than a year.
    NotWithinYear = C3,
        "Xác nhận an ninh, an toàn đã quá một năm.",
        "The security confirmation is older than a year.",
        "Đề nghị kiểm tra lại.",
        "Ask for a new assessment.";
    /// No evidence.
    EvidenceMissing = B3,
        "Chưa nêu bằng chứng, hoặc nội dung quá dài.",
        "No evidence was given, or it is too long.",
        "Ghi số, ngày văn bản hoặc quyết định làm bằng chứng.",
        "Name the document or decision.";
    /// No reason.
    ReasonMissing = A3,
        "Chưa nêu lý do, hoặc lý do quá dài.",
        "No reason was given, or it is too long.",
        "Nêu rõ lý do và việc đơn vị cần làm.",
        "Say why, and what the unit is to do.";
    /// A text or list beyond its bound.
    TooLong = B1,
        "Nội dung hoặc danh sách dài quá mức cho phép.",
        "A text or a list is longer than allowed.",
        "Rút ngắn nội dung, hoặc gửi phần chi tiết thành tệp đính kèm.",
        "Shorten it, or attach the details as a file.";
    /// No such comment.
    NoSuchComment = B3,
        "Không tìm thấy góp ý này.",
        "There is no such comment.",
        "Tải lại trang để xem các góp ý.",
        "Load the page again.";
    /// An integrator would edit what is not technical.
    TechnicalOnly = A6,
        "Cán bộ tích hợp chỉ sửa phần kỹ thuật của hồ sơ.",
        "Integrators edit the technical parts only.",
        "Nhờ thủ trưởng đơn vị sửa các mục khác.",
        "Ask the head of the unit to edit the rest.";
    /// The code is registered.
    CodeFixed = B1,
        "Mã hệ thống đã được đăng ký cho hồ sơ này nên không đổi được.",
        "The system code is registered for this dossier and stays.",
        "Giữ nguyên mã; muốn đổi thì lập hồ sơ mới.",
        "Keep the code, or begin a new dossier.";
    /// Another system has the code.
    CodeTaken = B1,
        "Mã hệ thống này đã được đăng ký.",
        "The system code is taken.",
        "Chọn mã khác cho hệ thống.",
        "Choose another code.";
    /// The files of a dossier together are too large.
    FilesTooLarge = B2,
        "Các tệp của hồ sơ cộng lại vượt mức cho phép.",
        "The files of the dossier together are too large.",
        "Quét lại ở 200-300 dpi, hoặc bỏ tệp không cần rồi thêm lại.",
        "Scan at 200-300 dpi, or remove a file that is not needed.";
    /// A file that no scanner found clean, where the profile asks for it.
    FilesNotScanned = B2,
        "Còn tệp chưa được quét mã độc.",
        "A file has not been scanned for malware.",
        "Bỏ tệp rồi thêm lại để quét; nếu vẫn chưa quét được, liên hệ Trung tâm.",
        "Remove the file and add it again; if it is still not scanned, call the centre.";
    /// The scanner refused the file.
    FileRefused = B2,
        "Phần mềm quét của Trung tâm phát hiện mã độc trong tệp; tệp không được lưu.",
        "The scanner of the centre found malware in the file; it was not kept.",
        "Quét máy tính của đơn vị, tạo lại tệp từ bản gốc rồi gửi.",
        "Scan the unit's computer, make the file anew from the original, and send it.";
    /// Somebody else changed it.
    ChangedMeanwhile = B3,
        "Hồ sơ vừa được người khác thay đổi.",
        "Somebody else has changed the dossier meanwhile.",
        "Tải lại trang, xem thay đổi rồi làm lại; nội dung đang nhập chưa bị mất.",
        "Load the page again, look at the change, then repeat.";
}
