//! The WSDL 1.1 description, document/literal, with both schemas inside.
//!
//! The schemas stand in the document itself, so that generated clients need no second request
//! through whatever gateway they sit behind; `?xsd=` serves the same texts for validators.

use std::fmt::{Arguments, Write};

use super::chars::push_escaped;
use super::jobs::JobOperation;
use super::operation::Operation;
use super::{NS_ANSWER, NS_REQUEST};

const REQUEST: &str = include_str!("request.xsd");
const RESPONSE: &str = include_str!("response.xsd");

/// Where the schemas are served from, relative to the WSDL; inside the WSDL there is no need to.
const LOCATION: &str = " schemaLocation=\"?xsd=request\"";

/// The schema of a name: `request` (http://dancuquocgia.bca) or `response`
/// (http://www.mic.gov.vn/dancu/1.0).
pub fn schema(name: &str) -> Option<&'static str> {
    match name {
        "request" => Some(REQUEST),
        "response" => Some(RESPONSE),
        _ => None,
    }
}

/// The WSDL of a server whose address, without a path, is `base_url`.
pub fn wsdl(base_url: &str) -> String {
    let mut out = String::with_capacity(32 * 1024);
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<wsdl:definitions name=\"dancu\"");
    for (prefix, uri) in [
        ("wsdl", "http://schemas.xmlsoap.org/wsdl/"),
        ("soap", "http://schemas.xmlsoap.org/wsdl/soap/"),
        ("dc", NS_REQUEST),
        ("ns1", NS_ANSWER),
    ] {
        put(&mut out, format_args!(" xmlns:{prefix}=\"{uri}\""));
    }
    put(&mut out, format_args!(" targetNamespace=\"{NS_REQUEST}\">\n<wsdl:types>\n"));
    for schema in [REQUEST, RESPONSE] {
        let body = schema.split_once("?>").map_or(schema, |(_, body)| body);
        out.push_str(body.trim_start().replace(LOCATION, "").as_str());
    }
    out.push_str("</wsdl:types>\n");
    messages(&mut out);
    port_type(&mut out);
    binding(&mut out);
    out.push_str(
        "<wsdl:service name=\"DanCuService\">\n<wsdl:port name=\"DanCuPort\" \
         binding=\"dc:DanCuBinding\"><soap:address location=\"",
    );
    push_escaped(&mut out, base_url.trim_end_matches('/'));
    out.push_str("/soap/dancu\"/></wsdl:port>\n</wsdl:service>\n</wsdl:definitions>\n");
    out
}

/// The elements of every operation and of its answer.
fn operations() -> impl Iterator<Item = (&'static str, &'static str)> {
    let citizens = Operation::OFFERED.iter().map(|o| (o.name(), o.answer()));
    citizens.chain(JobOperation::ALL.iter().map(|o| (o.name(), o.answer())))
}

fn messages(out: &mut String) {
    for (name, answer) in operations() {
        for (message, element) in [
            (format!("{name}Input"), format!("dc:{name}")),
            (format!("{name}Output"), format!("ns1:{answer}")),
        ] {
            put(
                out,
                format_args!(
                    "<wsdl:message name=\"{message}\"><wsdl:part name=\"parameters\" \
                 element=\"{element}\"/></wsdl:message>\n"
                ),
            );
        }
    }
    out.push_str(
        "<wsdl:message name=\"dancuFault\"><wsdl:part name=\"fault\" \
         element=\"dc:dancuFault\"/></wsdl:message>\n",
    );
}

fn port_type(out: &mut String) {
    out.push_str("<wsdl:portType name=\"DanCuPortType\">\n");
    for (name, _) in operations() {
        put(
            out,
            format_args!(
                "<wsdl:operation name=\"{name}\"><wsdl:input message=\"dc:{name}Input\"/>\
             <wsdl:output message=\"dc:{name}Output\"/>\
             <wsdl:fault name=\"dancuFault\" message=\"dc:dancuFault\"/></wsdl:operation>\n"
            ),
        );
    }
    out.push_str("</wsdl:portType>\n");
}

fn binding(out: &mut String) {
    out.push_str(
        "<wsdl:binding name=\"DanCuBinding\" type=\"dc:DanCuPortType\">\n\
         <soap:binding style=\"document\" transport=\"http://schemas.xmlsoap.org/soap/http\"/>\n",
    );
    for (name, _) in operations() {
        put(
            out,
            format_args!(
                "<wsdl:operation name=\"{name}\"><soap:operation soapAction=\"\" \
             style=\"document\"/><wsdl:input><soap:body use=\"literal\"/></wsdl:input>\
             <wsdl:output><soap:body use=\"literal\"/></wsdl:output>\
             <wsdl:fault name=\"dancuFault\"><soap:fault name=\"dancuFault\" use=\"literal\"/>\
             </wsdl:fault></wsdl:operation>\n"
            ),
        );
    }
    out.push_str("</wsdl:binding>\n");
}

fn put(out: &mut String, text: Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(text);
}
