/** Groups of digits with single spaces or hyphens between them, no part of a longer word. */
const digitGroups = /(?<![\w-])\d+(?:[ -]\d+)*(?![\w-])/g;

const shortest = 13;
const longest = 19;

/**
 * Whether `text` holds what may be a payment card number: 13–19 digits that pass the Luhn check (ISO/IEC 7812-1),
 * in one group or several, alone or beside other digits such as an expiry date.
 */
export function containsCardNumber(text: string): boolean {
  for (const [run] of text.matchAll(digitGroups)) {
    if (run.length >= shortest && mayBeCard(run.split(/[ -]/))) return true;
  }
  return false;
}

function mayBeCard(groups: readonly string[]): boolean {
  return groups.some((_, from) => {
    let digits = '';
    for (let to = from; to < groups.length && digits.length <= longest; to++) {
      digits += groups[to];
      if (digits.length >= shortest && digits.length <= longest && passesLuhn(digits)) return true;
    }
    return false;
  });
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
