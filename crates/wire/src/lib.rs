//! **wire**: the shapes that callers send and read, and how they become questions and answers.
//!
//! It knows SOAP, provincial JSON and REST; it does not know HTTP routes, authentication, the
//! store or the rules. Bytes come in with the caller's registration and the day, a
//! [`dancu_gate::query::Query`] or a complete list of input errors goes out; a
//! [`dancu_gate::query::Reply`] comes in, bytes go out.
//!
//! **Invariant:** parsing is total: any bytes give a question or errors, never a panic.
//! **Invariant:** an input error names the field, never the value. **Invariant:** a refusal looks
//! the same whether the person exists or not.
//!
//! To add a SOAP operation: add its variant and row in [`soap::Operation`], what it asks in
//! `soap/ask.rs`, its element in `soap/request.xsd`, and an example in `tests/soap_parse.rs`. The
//! WSDL follows from the row:
//!
//! ```
//! use dancu_domain::service::Service;
//! use dancu_wire::soap::Operation;
//!
//! let operation = Operation::from_name("CungCapThongTinNhomMau").unwrap();
//! assert_eq!(operation.service(), Service::BloodGroupProvide);
//! assert!(dancu_wire::soap::wsdl("https://dancu.example").contains(operation.name()));
//! ```

pub mod batch;
pub mod body;
pub mod lgsp;
pub mod rest;
pub mod soap;
