//! Receipts as JSON (REF §5), read strictly: every field known, none missing, none twice, amounts without loss.

use std::borrow::Cow;

use alloy_primitives::{Address, keccak256};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Body, BookingStatus, MOST_ID_BYTES, MOST_NAME_BYTES, Name, Receipt, ReceiptId, text};

/// Most bytes of a receipt in JSON.
pub const MOST_JSON_BYTES: usize = 4_096;

/// What the receiver knows of a receipt before it reads it: the lane's currency and, where it knows who speaks, the payer and the
/// source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intake {
    /// ISO 4217 code of the lane's currency.
    pub currency: String,
    /// Places of its minor unit.
    pub decimals: u8,
    /// Whose receipts these are; a receipt that names another is refused. Without one, receipts name theirs.
    pub payer: Option<Address>,
    /// The source; as for the payer.
    pub source: Option<Name>,
}

/// Why bytes are no receipt of this lane.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Too many bytes.
    #[error("a receipt has at most {MOST_JSON_BYTES} bytes, not {0}")]
    Size(usize),
    /// No JSON object with fields that are known, each once.
    #[error("not a receipt in JSON: {0}")]
    Json(String),
    /// An event that no lane knows.
    #[error("event {0:?} is none of ad_conversion, order, booking, view")]
    Event(String),
    /// A field is not there.
    #[error("{event} needs the field {field}")]
    Missing {
        /// The event.
        event: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A field of another event.
    #[error("{event} has no field {field}")]
    Unexpected {
        /// The event.
        event: &'static str,
        /// The field.
        field: &'static str,
    },
    /// Another currency than the lane's.
    #[error("the lane counts in {lane}, the receipt in {receipt}")]
    Currency {
        /// The lane's.
        lane: String,
        /// The receipt's.
        receipt: String,
    },
    /// Not a decimal that the currency can express.
    #[error(
        "{field}: {text} is no amount: a decimal of at most {decimals} places, below 2^96 minor units, without sign or exponent"
    )]
    Amount {
        /// The field.
        field: &'static str,
        /// What it says.
        text: String,
        /// Places of the currency.
        decimals: u8,
    },
    /// Not a time.
    #[error("ts: {0:?} is no time such as 2025-09-01T12:00:00Z")]
    Time(String),
    /// Not an id.
    #[error("{field}: an id has 1 to {MOST_ID_BYTES} printable ASCII characters and no space")]
    Id {
        /// The field.
        field: &'static str,
    },
    /// Not a name.
    #[error("{field}: a name has 1 to {MOST_NAME_BYTES} bytes and no control characters")]
    Name {
        /// The field.
        field: &'static str,
    },
    /// Not a whole number of at least 1.
    #[error("views: {0} is no whole number from 1 to 2^64 - 1")]
    Views(String),
    /// Not a way for a booking to end.
    #[error("status {0:?} is none of completed, no_show, cancelled")]
    Status(String),
    /// Amounts that contradict each other.
    #[error("{0}")]
    Contradiction(&'static str),
    /// Another payer or source than the one who speaks.
    #[error("the receipt is not of this {field}")]
    NotTheirs {
        /// `payer` or `source`.
        field: &'static str,
    },
    /// Not an address.
    #[error("payer: {0:?} is no address of 0x and 40 hex digits")]
    Address(String),
    /// Not a signature.
    #[error("signature: 0x and 128 hex digits")]
    Signature,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Fields<'a> {
    #[serde(borrow)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ts: Option<Cow<'a, str>>,
    #[serde(borrow)]
    license_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    currency: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payer: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow)]
    signature: Option<Cow<'a, str>>,
    #[serde(borrow)]
    campaign: Option<Cow<'a, str>>,
    #[serde(borrow)]
    title: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    txid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    order_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    booking_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    view_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    gross: Option<&'a RawValue>,
    #[serde(borrow)]
    discount: Option<&'a RawValue>,
    #[serde(borrow)]
    net: Option<&'a RawValue>,
    #[serde(borrow)]
    price: Option<&'a RawValue>,
    #[serde(borrow)]
    deposit: Option<&'a RawValue>,
    #[serde(borrow)]
    kept: Option<&'a RawValue>,
    #[serde(borrow)]
    views: Option<&'a RawValue>,
}

/// Reads one receipt. Upholds [LAN-30] and [LAN-31].
///
/// # Errors
/// The first [`ReceiptError`].
pub fn parse_receipt(json: &[u8], intake: &Intake) -> Result<Receipt, ReceiptError> {
    if json.len() > MOST_JSON_BYTES {
        return Err(ReceiptError::Size(json.len()));
    }
    // A struct reads from an array of its fields, too; a receipt is an object.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(ReceiptError::Json("an object is expected".into()));
    }
    let mut fields: Fields<'_> =
        serde_json::from_slice(json).map_err(|error| ReceiptError::Json(error.to_string()))?;
    let event = fields.event.take().ok_or(ReceiptError::Missing { event: "a receipt", field: "event" })?;
    let event = match event.as_ref() {
        "ad_conversion" => "ad_conversion",
        "order" => "order",
        "booking" => "booking",
        "view" => "view",
        _ => return Err(ReceiptError::Event(event.into_owned())),
    };
    Parser { event, fields, intake }.receipt()
}

struct Parser<'a> {
    event: &'static str,
    fields: Fields<'a>,
    intake: &'a Intake,
}

impl Parser<'_> {
    fn receipt(mut self) -> Result<Receipt, ReceiptError> {
        let currency = self.fields.currency.take();
        let currency = self.need(currency, "currency")?;
        if currency != self.intake.currency.as_str() {
            let lane = self.intake.currency.clone();
            return Err(ReceiptError::Currency { lane, receipt: currency.into_owned() });
        }
        let ts = self.fields.ts.take();
        let ts = self.need(ts, "ts")?;
        let time = text::seconds(&ts).ok_or_else(|| ReceiptError::Time(ts.into_owned()))?;
        let license = self.fields.license_id.take();
        let license = self.need(license, "license_id")?;
        let license = Name::new(&license).map_err(|_| ReceiptError::Name { field: "license_id" })?;
        let (payer, source) = (self.payer()?, self.source()?);
        let signature = self.signature()?;
        let (id, body) = match self.event {
            "ad_conversion" => self.ad_conversion()?,
            "order" => self.order()?,
            "booking" => self.booking()?,
            _ => self.view()?,
        };
        self.nothing_left()?;
        if !body.is_valid() {
            return Err(ReceiptError::Contradiction("the amounts exceed what a receipt can say"));
        }
        Ok(Receipt { payer, licence: keccak256(license.as_str()), source, id, time, body, signature })
    }

    fn need<T>(&self, value: Option<T>, field: &'static str) -> Result<T, ReceiptError> {
        value.ok_or(ReceiptError::Missing { event: self.event, field })
    }

    fn payer(&mut self) -> Result<Address, ReceiptError> {
        let Some(text) = self.fields.payer.take() else { return self.need(self.intake.payer, "payer") };
        let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40);
        let payer = digits.and_then(|digits| digits.parse().ok());
        let payer = payer.ok_or_else(|| ReceiptError::Address(text.into_owned()))?;
        match self.intake.payer {
            Some(known) if known != payer => Err(ReceiptError::NotTheirs { field: "payer" }),
            _ => Ok(payer),
        }
    }

    fn source(&mut self) -> Result<Name, ReceiptError> {
        let Some(text) = self.fields.source.take() else {
            return self.need(self.intake.source.clone(), "source");
        };
        let source = name(&text, "source")?;
        match &self.intake.source {
            Some(known) if *known != source => Err(ReceiptError::NotTheirs { field: "source" }),
            _ => Ok(source),
        }
    }

    fn signature(&mut self) -> Result<Option<[u8; 64]>, ReceiptError> {
        let Some(text) = self.fields.signature.take() else { return Ok(None) };
        let digits = text.strip_prefix("0x").ok_or(ReceiptError::Signature)?;
        let mut signature = [0; 64];
        alloy_primitives::hex::decode_to_slice(digits, &mut signature)
            .map_err(|_| ReceiptError::Signature)?;
        if digits.len() == 128 { Ok(Some(signature)) } else { Err(ReceiptError::Signature) }
    }

    fn amount(&self, value: Option<&RawValue>, field: &'static str) -> Result<u128, ReceiptError> {
        let token = self.need(value, field)?.get();
        let plain = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(token);
        let decimals = self.intake.decimals;
        text::minor_units(plain, decimals).ok_or_else(|| ReceiptError::Amount {
            field,
            text: token.to_owned(),
            decimals,
        })
    }

    fn id(&self, value: Option<Cow<'_, str>>, field: &'static str) -> Result<ReceiptId, ReceiptError> {
        let text = self.need(value, field)?;
        ReceiptId::new(&text).map_err(|_| ReceiptError::Id { field })
    }

    fn ad_conversion(&mut self) -> Result<(ReceiptId, Body), ReceiptError> {
        let (id, campaign) = (self.fields.txid.take(), self.fields.campaign.take());
        let campaign = name(&self.need(campaign, "campaign")?, "campaign")?;
        let value = self.fields.value.take();
        let value = self.amount(value, "value")?;
        Ok((self.id(id, "txid")?, Body::AdConversion { campaign, value }))
    }

    fn order(&mut self) -> Result<(ReceiptId, Body), ReceiptError> {
        let id = self.fields.order_id.take();
        let (gross, discount) = (self.fields.gross.take(), self.fields.discount.take());
        let net = self.fields.net.take();
        let (gross, discount) = (self.amount(gross, "gross")?, self.amount(discount, "discount")?);
        if gross.checked_sub(discount) != Some(self.amount(net, "net")?) {
            return Err(ReceiptError::Contradiction("net is not gross less discount"));
        }
        Ok((self.id(id, "order_id")?, Body::Order { gross, discount }))
    }

    fn booking(&mut self) -> Result<(ReceiptId, Body), ReceiptError> {
        let (id, status) = (self.fields.booking_id.take(), self.fields.status.take());
        let (price, deposit) = (self.fields.price.take(), self.fields.deposit.take());
        let kept = self.fields.kept.take();
        let status = self.need(status, "status")?;
        let status = match status.as_ref() {
            "completed" => BookingStatus::Completed,
            "no_show" => BookingStatus::NoShow,
            "cancelled" => BookingStatus::Cancelled,
            _ => return Err(ReceiptError::Status(status.into_owned())),
        };
        let (price, deposit) = (self.amount(price, "price")?, self.amount(deposit, "deposit")?);
        let kept = self.amount(kept, "kept")?;
        if deposit > price || kept > price {
            return Err(ReceiptError::Contradiction("a deposit or what is kept exceeds the price"));
        }
        if status == BookingStatus::Completed && kept != price {
            return Err(ReceiptError::Contradiction("of a completed booking the whole price is kept"));
        }
        Ok((self.id(id, "booking_id")?, Body::Booking { status, price, deposit, kept }))
    }

    fn view(&mut self) -> Result<(ReceiptId, Body), ReceiptError> {
        let (id, title) = (self.fields.view_id.take(), self.fields.title.take());
        let title = name(&self.need(title, "title")?, "title")?;
        let views = self.fields.views.take();
        let token = self.need(views, "views")?.get();
        let views =
            token.parse().ok().filter(|views| *views > 0 && token.bytes().all(|b| b.is_ascii_digit()));
        let views = views.ok_or_else(|| ReceiptError::Views(token.to_owned()))?;
        let value = self.fields.value.take();
        let value = self.amount(value, "value")?;
        Ok((self.id(id, "view_id")?, Body::View { title, views, value }))
    }

    /// What another event has and this one was given all the same.
    fn nothing_left(&self) -> Result<(), ReceiptError> {
        let f = &self.fields;
        let texts = [
            ("campaign", &f.campaign),
            ("title", &f.title),
            ("status", &f.status),
            ("txid", &f.txid),
            ("order_id", &f.order_id),
            ("booking_id", &f.booking_id),
            ("view_id", &f.view_id),
        ];
        let numbers = [
            ("value", f.value),
            ("gross", f.gross),
            ("discount", f.discount),
            ("net", f.net),
            ("price", f.price),
            ("deposit", f.deposit),
            ("kept", f.kept),
            ("views", f.views),
        ];
        let text = texts.iter().find(|(_, value)| value.is_some()).map(|(field, _)| *field);
        let number = numbers.iter().find(|(_, value)| value.is_some()).map(|(field, _)| *field);
        match text.or(number) {
            Some(field) => Err(ReceiptError::Unexpected { event: self.event, field }),
            None => Ok(()),
        }
    }
}

fn name(text: &str, field: &'static str) -> Result<Name, ReceiptError> {
    Name::new(text).map_err(|_| ReceiptError::Name { field })
}
