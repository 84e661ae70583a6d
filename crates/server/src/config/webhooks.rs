//! What systems are told at addresses of theirs: the section `[webhooks]`.

use std::path::PathBuf;

use super::keys::section;
use crate::proxy::Network;

section! {
    /// `[webhooks]`: whether anything is sent, and into which networks.
    WebhookConfig {
        enabled = "enabled": bool = true, "",
            "false: nút này không gửi sự kiện tới phần mềm của đơn vị, cổng không có trang đăng ký \
             nơi nhận. Chưa ai đăng ký thì không có gì được gửi.",
            "false: this node sends no events to software of agencies, and its portal has no page \
             for it. Nothing is sent unless somebody registers an address.";
        networks = "networks": Vec<Network> = vec![], "[\"10.20.0.0/16\"]",
            "Mạng không công khai được phép gửi tới, ví dụ mạng truyền số liệu chuyên dùng. Ngoài \
             danh sách này chỉ gửi tới địa chỉ công khai. Không ghi mạng nội bộ của Trung tâm.",
            "Networks that are not public and may be sent to, such as the specialised network of \
             agencies. Everything else goes to public addresses only. Never a network of the \
             centre's own.";
        ca_file = "caFile": Option<PathBuf> = None, "\"/etc/dancu/webhooks-ca.crt\"",
            "Tệp PEM các CA được tin khi gửi; bỏ trống: của hệ điều hành.",
            "PEM file of the CAs that are trusted for it; not set: the system's own.";
    }
}
