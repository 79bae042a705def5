/** A run of 13 to 19 digits, single spaces or hyphens between them, that is not part of a longer word. */
const candidate = /(?<![0-9A-Za-z_-])\d(?:[ -]?\d){12,18}(?![0-9A-Za-z_-])/g;

/** Whether `text` holds what may be a payment card number: 13–19 digits that pass the Luhn check (ISO/IEC 7812-1). */
export function containsCardNumber(text: string): boolean {
  for (const match of text.matchAll(candidate)) {
    if (passesLuhn(match[0].replace(/[ -]/g, ''))) return true;
  }
  return false;
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
