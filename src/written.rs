//! Things of the API in the form in which they are sent. To make a value of a row, only to write it down once, takes longer
//! than the writing: what is listed most is written as JSON while its row is read ([`written!`](crate::written)), a field after the
//! other, and the compiler holds it to the type that the document shows.

use std::marker::PhantomData;

use serde::Serialize;

use crate::error::{Error, Result};

/// A `T` as it is sent: its JSON.
pub struct Written<T> {
    json: Vec<u8>,
    of: PhantomData<fn() -> T>,
}

impl<T> std::fmt::Debug for Written<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.json))
    }
}

impl<T: Serialize> Written<T> {
    /// Writes a value.
    ///
    /// # Errors
    /// When it cannot be serialised, which is a bug.
    pub fn of(value: &T) -> Result<Self> {
        let json = serde_json::to_vec(value).map_err(|error| Error::Internal(Box::new(error)))?;
        Ok(Self { json, of: PhantomData })
    }
}

/// What is sent as a `T`: a `T`, one that is written already, or what looks the same.
pub trait Sent<T: ?Sized> {
    /// Appends it.
    ///
    /// # Errors
    /// When it cannot be serialised, which is a bug.
    fn write(&self, json: &mut Vec<u8>) -> serde_json::Result<()>;
}

impl<T: Serialize> Sent<T> for T {
    fn write(&self, json: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(json, self)
    }
}

impl<T> Sent<T> for Written<T> {
    fn write(&self, json: &mut Vec<u8>) -> serde_json::Result<()> {
        json.extend_from_slice(&self.json);
        Ok(())
    }
}

impl Sent<String> for &str {
    fn write(&self, json: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(json, self)
    }
}

/// Something, or null.
#[derive(Debug)]
pub struct Perhaps<'a, S>(pub Option<&'a S>);

impl<T, S: Sent<T>> Sent<Option<T>> for Perhaps<'_, S> {
    fn write(&self, json: &mut Vec<u8>) -> serde_json::Result<()> {
        match self.0 {
            Some(thing) => thing.write(json),
            None => serde_json::to_writer(json, &()),
        }
    }
}

/// Several, one after the other.
#[derive(Debug)]
pub struct Each<I>(pub I);

impl<'a, T, S: Sent<T> + 'a, I: Iterator<Item = &'a S> + Clone> Sent<Vec<T>> for Each<I> {
    fn write(&self, json: &mut Vec<u8>) -> serde_json::Result<()> {
        json.push(b'[');
        let mut things = self.0.clone();
        if let Some(first) = things.next() {
            let before = json.len();
            first.write(json)?;
            // The others take about as much: so a long list is not copied again and again as it grows.
            json.reserve((json.len() - before + 64) * things.size_hint().0);
        }
        for thing in things {
            json.push(b',');
            thing.write(json)?;
        }
        json.push(b']');
        Ok(())
    }
}

/// A `T` that is being written.
#[derive(Debug)]
pub struct Writing<'a, T> {
    json: &'a mut Vec<u8>,
    /// Where it begins.
    start: usize,
    went: serde_json::Result<()>,
    of: PhantomData<fn() -> T>,
}

impl<'a, T> Writing<'a, T> {
    /// Begins, behind what is there.
    pub fn begin(json: &'a mut Vec<u8>) -> Self {
        Self { start: json.len(), json, went: Ok(()), of: PhantomData }
    }

    /// Writes a field. `lead` is a comma and the name as JSON writes it; `_place`, which is never called, says which field of
    /// the type it is, and so what may be written.
    pub fn field<F>(&mut self, lead: &str, _place: fn(&T) -> &F, value: &impl Sent<F>) {
        self.json.extend_from_slice(lead.as_bytes());
        if self.went.is_ok() {
            self.went = value.write(self.json);
        }
    }

    /// Ends.
    ///
    /// # Errors
    /// When a field could not be serialised, which is a bug.
    pub fn end(self) -> Result<()> {
        self.went.map_err(|error| Error::Internal(Box::new(error)))?;
        // In place of the first comma.
        self.json[self.start] = b'{';
        self.json.push(b'}');
        Ok(())
    }
}

impl<T> Written<T> {
    /// Writes a thing by itself, with room for so many bytes.
    ///
    /// # Errors
    /// Whatever `write` returns; when a field could not be serialised, which is a bug.
    pub fn alone(room: usize, write: impl FnOnce(&mut Writing<'_, T>) -> Result<()>) -> Result<Self> {
        let mut json = Vec::with_capacity(room);
        let mut thing = Writing::begin(&mut json);
        write(&mut thing)?;
        thing.end()?;
        Ok(Self { json, of: PhantomData })
    }
}

impl<T> Written<Vec<T>> {
    /// A list without anything in it yet, with room for so many bytes.
    pub fn list(room: usize) -> Self {
        let mut json = Vec::with_capacity(room);
        json.extend_from_slice(b"[]");
        Self { json, of: PhantomData }
    }

    /// Writes one more at its end.
    ///
    /// # Errors
    /// As [`Written::alone`].
    pub fn push(&mut self, write: impl FnOnce(&mut Writing<'_, T>) -> Result<()>) -> Result<()> {
        self.json.pop();
        if self.json.len() > 1 {
            self.json.push(b',');
        }
        let mut thing = Writing::begin(&mut self.json);
        write(&mut thing)?;
        thing.end()?;
        self.json.push(b']');
        Ok(())
    }
}

/// Writes a thing as the model's type of that name would be serialised: every field of it, in this order, each as something that
/// is sent as the field's type. `= "name"` is for a field that is named otherwise outside. Into what is being written, or by itself
/// with room for so many bytes.
///
/// ```
/// # use lodge::{reference::Reference, written, written::Written};
/// let name = "Billing";
/// let json = written!(Reference, 64, { id: 7_i64, name: name })?;
/// assert_eq!(format!("{json:?}"), r#"{"id":7,"name":"Billing"}"#);
/// let mut list = Written::<Vec<Reference>>::list(64);
/// list.push(|item| Ok(written!(item: Reference, { id: 7_i64, name: name })))?;
/// assert_eq!(format!("{list:?}"), r#"[{"id":7,"name":"Billing"}]"#);
/// # Ok::<(), lodge::error::Error>(())
/// ```
#[macro_export]
macro_rules! written {
    ($thing:ident: $type:ident, { $($field:ident $(= $name:literal)? : $value:expr),+ $(,)? }) => {{
        // Every field has to be there.
        let _ = |thing: $type| { let $type { $($field: _),+ } = thing; };
        $( $thing.field($crate::written!(@lead $field $(= $name)?), |thing: &$type| &thing.$field, &$value); )+
    }};
    ($type:ident, $room:expr, { $($fields:tt)+ }) => {
        $crate::written::Written::<$type>::alone($room, |thing| {
            $crate::written!(thing: $type, { $($fields)+ });
            Ok(())
        })
    };
    (@lead $field:ident) => { concat!(",\"", stringify!($field), "\":") };
    (@lead $field:ident = $name:literal) => { concat!(",\"", $name, "\":") };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Reference;

    #[derive(Serialize)]
    struct Pet {
        #[serde(rename = "type")]
        kind: String,
        owner: Option<Reference>,
        friends: Vec<Reference>,
    }

    #[test]
    fn what_is_written_is_what_would_be_serialised() {
        let friend = Reference { id: 7, name: "\"Rex\"\n".into() };
        let known = Written::of(&friend).unwrap();
        for (owner, friends) in
            [(None, vec![]), (Some(&known), vec![&known]), (Some(&known), vec![&known, &known])]
        {
            let pet = Pet {
                kind: "dög".into(),
                owner: owner.map(|_| friend.clone()),
                friends: friends.iter().map(|_| friend.clone()).collect(),
            };
            let written =
                written!(Pet, 64, { kind = "type": "dög", owner: Perhaps(owner), friends: Each(friends.iter().copied()) }).unwrap();
            assert_eq!(written.json, serde_json::to_vec(&pet).unwrap());
        }
    }
}
