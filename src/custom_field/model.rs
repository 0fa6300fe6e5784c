//! What a custom field is.

use crate::words;

words! {
    /// What a custom field holds.
    FieldType {
        /// A date, `2026-03-15`.
        Date = "date",
        /// A date and a time of day, `2026-03-15T14:30`.
        DatetimeLocal = "datetime_local",
        /// An e-mail address.
        Email = "email",
        /// A number.
        Number = "number",
        /// A telephone number.
        Tel = "tel",
        /// A line of text.
        Text = "text",
        /// Several lines of text.
        Textarea = "textarea",
        /// A time of day, `14:30`.
        Time = "time",
        /// An address on the web.
        Url = "url",
    }
}
