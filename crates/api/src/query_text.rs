//! Decoding the text of a URL's query.

/// Decodes `application/x-www-form-urlencoded` text: `+` is a space, `%xx` a byte. The message of an error
/// continues a sentence that begins with the name of the parameter.
pub(crate) fn decode(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
                let (Some(high), Some(low)) = (digit(), digit()) else {
                    return Err("holds a \"%\" that is not followed by two hexadecimal digits; write it as \"%25\"");
                };
                u8::try_from(high * 16 + low).unwrap_or_default()
            }
            byte => byte,
        });
    }
    let decoded = String::from_utf8(bytes).map_err(|_| "is not UTF-8 after percent-decoding")?;
    if decoded.contains('\0') {
        return Err("holds a null character, which no attribute can hold");
    }
    Ok(decoded)
}
