// Numbers, amounts, times and names as people read them. Amounts are decimal texts of minor units: they do not fit numbers.

/** 1234567 as 1,234,567. */
export function count(number) {
  return String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** An amount of minor units, with all its places but zeros at the end; amounts of money keep two. */
export function amount(minor, decimals) {
  const digits = minor.padStart(decimals + 1, '0');
  const whole = count(digits.slice(0, digits.length - decimals));
  const kept = decimals >= 2 && decimals <= 8 ? 2 : 0;
  const part = decimals ? digits.slice(-decimals) : '';
  const shown = part.slice(0, kept) + part.slice(kept).replace(/0+$/, '');
  return shown ? `${whole}.${shown}` : whole;
}

/** 250 basis points as 2.5 %. */
export function percent(bps) {
  return `${amount(String(bps), 2).replace(/\.?0+$/, '')} %`;
}

/** 20250901 as 2025-09-W01. */
export function period(code) {
  const text = String(code).padStart(8, '0');
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-W${text.slice(6)}`;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
];

/** So many seconds in the two largest units that they have. */
export function duration(seconds) {
  const rest = Math.max(0, Math.floor(seconds));
  const first = UNITS.findIndex(([, size]) => rest >= size);
  if (first < 0) return '0 s';
  const parts = [];
  let left = rest;
  for (const [unit, size] of UNITS.slice(first, first + 2)) {
    const some = Math.floor(left / size);
    left -= some * size;
    if (some) parts.push(`${some} ${unit}`);
  }
  return parts.join(' ');
}

/** A second as 2025-09-08 00:13:20, in UTC as receipts and periods are. */
export function moment(seconds) {
  const date = new Date(seconds * 1_000);
  if (Number.isNaN(date.getTime())) return `second ${seconds}`;
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

/** A second as a day. */
export const day = (seconds) => moment(seconds).slice(0, 10);

/** One or many. */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
