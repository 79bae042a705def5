/** What an e-mail says, before it is laid out as text and as HTML. */
export interface Letter {
  readonly language: string;
  readonly subject: string;
  readonly heading: string;
  readonly paragraphs: readonly string[];
  /** Label and value, one below the other; the last row may carry the total. */
  readonly rows: readonly (readonly [label: string, value: string])[];
  readonly closing: readonly string[];
}

/** The parts of an e-mail. */
export interface Email {
  /** One line: it becomes a header. */
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Lays a letter out. Its texts may come from anybody: markup, line breaks and control characters have no effect. */
export function compose(letter: Letter): Email {
  const paragraphs = letter.paragraphs.map(oneLine);
  const rows = letter.rows.map(([label, value]) => [oneLine(label), oneLine(value)] as const);
  const closing = letter.closing.map(oneLine);
  const heading = oneLine(letter.heading);
  return {
    subject: oneLine(letter.subject),
    text: [
      heading,
      ...paragraphs,
      rows.map(([label, value]) => `${label}: ${value}`).join('\n'),
      ...closing,
    ].join('\n\n'),
    html: page(letter.language, heading, [
      ...paragraphs.map(paragraph),
      `<table style="border-collapse:collapse">${rows.map(row).join('')}</table>`,
      ...closing.map(paragraph),
    ]),
  };
}

/**
 * Without line breaks and other control characters, lone surrogates, and the marks that reverse the order in which
 * what follows is read (Unicode TR 9): a name could otherwise forge a header, a row or an amount.
 */
function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g, '')
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim();
}

function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}

function row([label, value]: readonly [string, string]): string {
  return (
    `<tr><th scope="row" style="text-align:left;font-weight:normal;padding:4px 16px 4px 0">${escapeHtml(label)}</th>` +
    `<td style="text-align:right;padding:4px 0">${escapeHtml(value)}</td></tr>`
  );
}

function page(language: string, heading: string, body: readonly string[]): string {
  return [
    '<!doctype html>',
    `<html lang="${escapeHtml(language)}"><head><meta charset="utf-8"><title>${escapeHtml(heading)}</title></head>`,
    '<body style="font-family:sans-serif;line-height:1.5;max-width:40em">',
    `<h1 style="font-size:1.3em">${escapeHtml(heading)}</h1>`,
    ...body,
    '</body></html>',
  ].join('\n');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}
