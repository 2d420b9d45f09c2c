//! The OpenAPI v2 document in the protobuf form (`openapi_v2.Document`), which older `kubectl`
//! insists on.

use super::super::openapi::{PATCH_PARAMETERS, object_path};
use crate::cluster::VERSION;
use crate::kinds::{Kind, KindRef};

/// A message under construction.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: usize) {
        while number >= 0x80 {
            self.0.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
            number >>= 7;
        }
        self.0.push(u8::try_from(number).unwrap_or(0));
    }

    fn bytes(mut self, field: usize, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len());
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, field: usize, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: usize, message: Message) -> Self {
        self.bytes(field, &message.0)
    }
}

/// The whole document: a patch operation per kind, with its parameters.
pub fn document(kinds: &[KindRef]) -> Vec<u8> {
    let info = Message::default().text(1, "Kubernetes").text(2, VERSION);
    let mut paths = Message::default();
    for kind in kinds {
        let item = Message::default().message(8, operation(kind));
        let named = Message::default().text(1, &object_path(kind)).message(2, item);
        paths = paths.message(2, named);
    }
    Message::default()
        .text(1, "2.0")
        .message(2, info)
        .message(8, paths)
        .0
}

fn operation(kind: &Kind) -> Message {
    let mut operation = Message::default();
    for name in PATCH_PARAMETERS {
        let schema = Message::default()
            .text(2, "query")
            .text(4, name)
            .text(6, "string");
        let parameter = Message::default().message(3, schema);
        let parameter = Message::default().message(2, parameter);
        operation = operation.message(8, Message::default().message(1, parameter));
    }
    let identity = format!(
        "group: {:?}\nkind: {}\nversion: {}\n",
        kind.group, kind.name, kind.version
    );
    let extension = Message::default()
        .text(1, "x-kubernetes-group-version-kind")
        .message(2, Message::default().text(2, &identity));
    operation.message(13, extension)
}

#[cfg(test)]
mod tests {
    #[test]
    fn fields_are_length_delimited() {
        let message = super::Message::default().text(1, "2.0");
        assert_eq!(message.0, [0x0a, 3, b'2', b'.', b'0']);
        assert!(super::document(crate::kinds::ALL).starts_with(&[0x0a, 3, b'2', b'.', b'0', 0x12]));
    }
}
