/**
 * The notification table: the mail log. It holds no personal data.
 *
 * | access pattern | key |
 * |---|---|
 * | what has become of the e-mail of an event | pk = MAIL#<eventId>, sk = LOG |
 */
export function mailKey(eventId: string): { pk: string; sk: string } {
  return { pk: `MAIL#${eventId}`, sk: 'LOG' };
}
