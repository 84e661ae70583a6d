//! The mail server's side, as small as it can be: a listener that takes mail, or says no.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;

/// Serves SMTP: answers RCPT with `rcpt`, keeps what was sent.
async fn server(rcpt: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let kept = Arc::<Mutex<Vec<String>>>::default();
    let keeps = kept.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            writer.write_all(b"220 mx ESMTP\r\n").await.unwrap();
            let (mut data, mut mail) = (false, String::new());
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = match line.as_str() {
                    "." if data => {
                        data = false;
                        keeps.lock().push(std::mem::take(&mut mail));
                        "250 taken\r\n"
                    }
                    _ if data => {
                        mail.push_str(&line);
                        mail.push('\n');
                        continue;
                    }
                    "DATA" => {
                        data = true;
                        "354 go on\r\n"
                    }
                    "QUIT" => "221 bye\r\n",
                    _ if line.starts_with("RCPT") => rcpt,
                    _ => "250 mx\r\n",
                };
                writer.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (port, kept)
}

fn mailer(port: u16) -> Mailer {
    let config = MailConfig {
        url: Some(format!("smtp://127.0.0.1:{port}")),
        from: Some("dancu@dancu.example.vn".into()),
        ..MailConfig::default()
    };
    Mailer::open(&config).unwrap().unwrap()
}

fn letter() -> Letter {
    Letter {
        to: "can.bo@dancu.example.vn".into(),
        name: "Cán Bộ Mẫu".into(),
        subject: format!("Tài khoản bị khóa\r\nBcc: x@y.vn {}", "x".repeat(500)),
        id: "12.0123456789abcdef".into(),
        text: "Nội dung\n".into(),
        html: "<p>Nội dung</p>".into(),
    }
}

#[tokio::test]
async fn a_mail_is_taken_with_its_headers() {
    let (port, kept) = server("250 ok\r\n").await;
    let mailer = mailer(port);
    mailer.test().await.unwrap();
    mailer.send(&letter()).await.unwrap();
    mailer.send(&letter()).await.unwrap();
    let kept = kept.lock();
    assert_eq!(kept.len(), 2);
    let id = "Message-ID: <dancu.12.0123456789abcdef@dancu.example.vn>";
    for mail in kept.iter() {
        let heads = mail.split("\n\n").next().unwrap();
        assert!(heads.contains(id), "the same at each try: {heads}");
        assert!(heads.contains("Auto-Submitted: auto-generated"));
        assert!(heads.contains("List-Id: <notices.dancu.example.vn>"));
        assert!(heads.contains("multipart/alternative"));
        assert!(!heads.lines().any(|line| line.starts_with("Bcc")), "{heads}");
    }
}

#[tokio::test]
async fn a_server_says_no_later_or_nothing() {
    let (port, _) = server("550 no such user\r\n").await;
    assert!(matches!(mailer(port).send(&letter()).await, Err(Failed::Refused(_))));
    let (port, _) = server("451 later\r\n").await;
    assert!(matches!(mailer(port).send(&letter()).await, Err(Failed::Later(_))));
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert!(matches!(mailer(free).send(&letter()).await, Err(Failed::Down(_))));
}

#[tokio::test]
async fn what_a_server_says_of_us_ends_no_mail() {
    // It takes the connection, and says nothing, or says no to everybody.
    for greeting in ["", "554 no service here\r\n", "521 no mail\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut held = vec![];
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(greeting.as_bytes()).await.unwrap();
                held.push(stream);
            }
        });
        let mailer = Mailer { wait: Duration::from_millis(300), ..mailer(port) };
        assert!(matches!(mailer.send(&letter()).await, Err(Failed::Down(_))), "{greeting:?}");
        assert!(matches!(mailer.test().await, Err(Failed::Down(_))), "{greeting:?}");
    }
    let (port, _) = server("530 sign in first\r\n").await;
    assert!(matches!(mailer(port).send(&letter()).await, Err(Failed::Down(_))));
}

#[test]
fn places_are_read_and_only_this_machine_goes_without_tls() {
    let place = |url| Place::parse(url).map(|p| (p.host.clone(), p.port, p.wrapped));
    assert_eq!(place("smtp://mail.example.vn"), Some(("mail.example.vn".into(), 587, false)));
    assert_eq!(place("smtps://mail.example.vn"), Some(("mail.example.vn".into(), 465, true)));
    assert_eq!(place("smtp://[::1]:25"), Some(("::1".into(), 25, false)));
    for wrong in ["", "mail.example.vn", "http://x.vn", "smtp://", "smtp://a b", "smtp://a:x"] {
        assert_eq!(place(wrong), None, "{wrong}");
    }
    let is_local = |url| Place::parse(url).unwrap().is_loopback();
    assert!(is_local("smtp://localhost") && is_local("smtp://127.0.0.2:25"));
    assert!(is_local("smtp://[::1]") && !is_local("smtp://localhost.example.vn"));
}
