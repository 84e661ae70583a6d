//! Packed request items: what is read packs to the bytes it came from, up to a broken tail.

use dancu_store::requests::RequestItem;

/// Bytes of an item without a header: marks, index, key, body.
const ITEM_BYTES: usize = 1 + 2 + 16 + 16;
/// Bytes of a header and its end.
const HEADER_BYTES: usize = 16 + 8;

/// Reads the first index of a batch from eight bytes, then the batch's items.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    let Some((first, data)) = data.split_first_chunk::<8>() else { return };
    // Indexes are stored as signed numbers.
    let first = u64::from_be_bytes(*first) & i64::MAX.cast_unsigned();
    let items: Vec<_> = RequestItem::unpack(first, data).collect();
    assert!(items.len() <= data.len() / ITEM_BYTES);
    let mut packed = vec![];
    for item in &items {
        assert!((first..=first + u64::from(u16::MAX)).contains(&item.index));
        item.pack(first, &mut packed);
    }
    assert!(packed.len() <= data.len());
    let again: Vec<_> = RequestItem::unpack(first, &packed).collect();
    assert_eq!(again.len(), items.len());
    for (again, item) in again.iter().zip(&items) {
        // A header of zeros is none, so its end is not kept.
        let until = if item.header == [0; 16] { 0 } else { item.header_until };
        assert_eq!(*again, RequestItem { header_until: until, ..*item });
    }
    let headers = items.iter().filter(|item| item.header != [0; 16]).count();
    assert_eq!(packed.len(), items.len() * ITEM_BYTES + headers * HEADER_BYTES);
}
