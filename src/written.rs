//! Things of the API in the form in which they are sent. To make a value of a row, only to write it down once, takes longer
//! than the writing: what is listed most is written as JSON while its row is read ([`written!`](crate::written)), a field after the
//! other, and the compiler holds it to the type that the document shows.

use std::marker::PhantomData;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::time::Timestamp;

/// What stands before the data of every successful answer.
pub const OPENING: &[u8] = br#"{"status":true,"data":"#;
/// How many bytes most answers have room in that are no lists.
const ANSWER: usize = 1536;
/// How many bytes what follows a list needs: which page it is.
const BEHIND: usize = 128;

/// A `T` as it is sent: its JSON.
pub struct Written<T> {
    json: Vec<u8>,
    /// Where it begins: a list is what its answer is made of, and stands behind the answer's opening from the first.
    start: usize,
    /// How many things are in it, if it is a list.
    count: usize,
    of: PhantomData<fn() -> T>,
}

impl<T> std::fmt::Debug for Written<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.json()))
    }
}

impl<T: Serialize> Written<T> {
    /// Writes a value.
    ///
    /// # Errors
    /// When it cannot be serialised, which is a bug.
    pub fn of(value: &T) -> Result<Self> {
        let mut json = Vec::new();
        serialize(value, &mut json)?;
        Ok(Self { json, start: 0, count: 0, of: PhantomData })
    }
}

impl<T> Written<T> {
    fn json(&self) -> &[u8] {
        self.json.get(self.start..).unwrap_or_default()
    }
}

/// Appends a value as JSON.
///
/// # Errors
/// When it cannot be serialised, which is a bug.
pub fn serialize(value: &(impl Serialize + ?Sized), json: &mut Vec<u8>) -> Result<()> {
    serde_json::to_writer(json, value).map_err(|error| Error::Internal(Box::new(error)))
}

/// What is sent as a `T`: a `T`, one that is written already, or what looks the same.
pub trait Sent<T: ?Sized> {
    /// Appends it.
    ///
    /// # Errors
    /// When it cannot be serialised, or is read from a row and not what the row holds, which are bugs.
    fn write(&self, json: &mut Vec<u8>) -> Result<()>;

    /// Makes an answer of it: [`OPENING`], and it.
    ///
    /// # Errors
    /// As [`Sent::write`].
    fn opened(self) -> Result<Vec<u8>>
    where
        Self: Sized,
    {
        opened(&self)
    }
}

/// Makes an answer of something that is still needed: [`OPENING`], and it.
///
/// # Errors
/// As [`Sent::write`].
pub fn opened<T: ?Sized>(thing: &impl Sent<T>) -> Result<Vec<u8>> {
    let mut answer = Vec::with_capacity(ANSWER);
    answer.extend_from_slice(OPENING);
    thing.write(&mut answer)?;
    Ok(answer)
}

impl<T: Serialize> Sent<T> for T {
    fn write(&self, json: &mut Vec<u8>) -> Result<()> {
        serialize(self, json)
    }
}

impl<T> Sent<T> for Written<T> {
    fn write(&self, json: &mut Vec<u8>) -> Result<()> {
        json.extend_from_slice(self.json());
        Ok(())
    }

    fn opened(self) -> Result<Vec<u8>> {
        if self.start == OPENING.len() { Ok(self.json) } else { opened(&self) }
    }
}

impl Sent<String> for &str {
    fn write(&self, json: &mut Vec<u8>) -> Result<()> {
        serialize(self, json)
    }
}

/// A moment. A page of tickets holds sixty: no serialiser looks whether anything has to be escaped in them.
#[derive(Debug)]
pub struct At(pub Timestamp);

impl Sent<Timestamp> for At {
    fn write(&self, json: &mut Vec<u8>) -> Result<()> {
        let mut text = [b'"'; 22];
        text[1..21].copy_from_slice(&self.0.digits());
        json.extend_from_slice(&text);
        Ok(())
    }
}

/// A thing in its place within another.
pub struct Within<W>(pub W);

impl<T, W: Fn(&mut Writing<'_, T>) -> Result<()>> Sent<T> for Within<W> {
    fn write(&self, json: &mut Vec<u8>) -> Result<()> {
        let mut thing = Writing::begin(json);
        (self.0)(&mut thing)?;
        thing.end()
    }
}

/// Something, or null.
#[derive(Debug)]
pub struct Perhaps<'a, S>(pub Option<&'a S>);

impl<T, S: Sent<T>> Sent<Option<T>> for Perhaps<'_, S> {
    fn write(&self, json: &mut Vec<u8>) -> Result<()> {
        match self.0 {
            Some(thing) => thing.write(json),
            None => serialize(&(), json),
        }
    }
}

/// Several, one after the other.
#[derive(Debug)]
pub struct Each<I>(pub I);

impl<'a, T, S: Sent<T> + 'a, I: Iterator<Item = &'a S> + Clone> Sent<Vec<T>> for Each<I> {
    fn write(&self, json: &mut Vec<u8>) -> Result<()> {
        json.push(b'[');
        for (n, thing) in self.0.clone().enumerate() {
            if n > 0 {
                json.push(b',');
            }
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
    went: Result<()>,
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
    /// What went wrong with a field, which is a bug.
    pub fn end(self) -> Result<()> {
        self.went?;
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
        Ok(Self { json, start: 0, count: 0, of: PhantomData })
    }
}

impl<T> Written<Vec<T>> {
    /// A list without anything in it yet, with room for so many bytes.
    pub fn list(room: usize) -> Self {
        let mut json = Vec::with_capacity(OPENING.len() + room + BEHIND);
        json.extend_from_slice(OPENING);
        json.extend_from_slice(b"[]");
        Self { json, start: OPENING.len(), count: 0, of: PhantomData }
    }

    /// How many things are in it.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Writes one more at its end.
    ///
    /// # Errors
    /// As [`Written::alone`].
    pub fn push(&mut self, write: impl FnOnce(&mut Writing<'_, T>) -> Result<()>) -> Result<()> {
        self.json.pop();
        if self.count > 0 {
            self.json.push(b',');
        }
        self.count += 1;
        let mut thing = Writing::begin(&mut self.json);
        write(&mut thing)?;
        thing.end()?;
        self.json.push(b']');
        Ok(())
    }
}

/// Writes a thing as the model's type of that name would be serialised: every field of it, in this order, each as something that
/// is sent as the field's type. `= "name"` is for a field that is named otherwise outside. Into what is being written, in its place
/// within another thing, or by itself with room for so many bytes.
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
    (within $type:ident, { $($fields:tt)+ }) => {
        $crate::written::Within(|thing: &mut $crate::written::Writing<'_, $type>| {
            $crate::written!(thing: $type, { $($fields)+ });
            Ok(())
        })
    };
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
        born: Timestamp,
        died: Option<Timestamp>,
    }

    #[test]
    fn what_is_written_is_what_would_be_serialised() {
        let friend = Reference { id: 7, name: "\"Rex\"\n".into() };
        let within = written!(within Reference, { id: 7_i64, name: friend.name.as_str() });
        let known = Written::of(&friend).unwrap();
        let born = Timestamp(1_700_000_000_123_456);
        for (owner, friends, died) in [
            (None, vec![], None),
            (Some(&within), vec![&known], Some(Timestamp(-1))),
            (Some(&within), vec![&known, &known], Some(born)),
        ] {
            let pet = Pet {
                kind: "dög".into(),
                owner: owner.map(|_| friend.clone()),
                friends: friends.iter().map(|_| friend.clone()).collect(),
                born,
                died,
            };
            let written = written!(Pet, 64, {
                kind = "type": "dög",
                owner: Perhaps(owner),
                friends: Each(friends.iter().copied()),
                born: At(born),
                died: Perhaps(died.map(At).as_ref()),
            });
            assert_eq!(written.unwrap().json(), serde_json::to_vec(&pet).unwrap());
        }
    }

    #[test]
    fn a_list_knows_how_much_is_in_it() {
        let mut list = Written::<Vec<Reference>>::list(2);
        for id in 0..3 {
            assert_eq!(list.count() as i64, id);
            list.push(|item| {
                written!(item: Reference, { id: id, name: "Rex" });
                Ok(())
            })
            .unwrap();
        }
        let same: Vec<_> = (0..3).map(|id| Reference { id, name: "Rex".into() }).collect();
        assert_eq!(list.json(), serde_json::to_vec(&same).unwrap());
        let within = opened(&list).unwrap();
        assert_eq!(within, [OPENING, list.json()].concat());
        assert_eq!(list.opened().unwrap(), within);
    }

    #[test]
    fn what_goes_wrong_within_a_thing_goes_wrong_with_the_whole() {
        let within = Within(|_: &mut Writing<'_, Reference>| Err(Error::NotFound));
        let owner = Perhaps(Some(&within));
        let written = Written::<Option<Reference>>::alone(64, |thing| {
            thing.field(",\"owner\":", |owner: &Option<Reference>| owner, &owner);
            Ok(())
        });
        assert!(written.is_err());
    }
}
