import type { Money } from '../../kernel/contract.ts';
import { display } from '../../kernel/money.ts';
import { remember } from '../../kernel/remember.ts';
import type { OrderSummary } from '../../order/contract.ts';
import type { Letter } from './letter.ts';
import { en } from './messages/en.ts';
import { ko } from './messages/ko.ts';
import type { CancelReason, DeclineReason, Messages } from './messages/messages.ts';

/** An order whose shopper is written to. */
export interface Occasion {
  readonly summary: OrderSummary;
  /** When it happened, RFC 3339. */
  readonly at: string;
  /** IANA time zone in which times are told. */
  readonly timeZone: string;
}

type Rows = Letter['rows'];

export function orderConfirmation(occasion: Occasion): Letter {
  const messages = messagesOf(occasion);
  const texts = messages.orderConfirmation;
  return {
    language: messages.locale,
    subject: texts.subject(occasion.summary.number),
    heading: texts.heading,
    paragraphs: [texts.body],
    rows: [...headRows(occasion, messages), ...orderRows(occasion.summary, messages)],
    closing: [texts.refundable, messages.signature],
  };
}

/**
 * @param reason the provider's code
 * @param retryUntil RFC 3339: until then the shopper can pay again; undefined when the order has ended
 */
export function paymentDeclined(occasion: Occasion, reason: string, retryUntil: string | undefined): Letter {
  const messages = messagesOf(occasion);
  const texts = messages.paymentDeclined;
  return {
    language: messages.locale,
    subject: texts.subject(occasion.summary.number),
    heading: texts.heading,
    paragraphs: [
      texts.reasons[declineReason(reason)],
      texts.notCharged,
      ...(retryUntil === undefined ? [] : [texts.retry(timeIn(occasion.timeZone, retryUntil, messages))]),
    ],
    rows: [...headRows(occasion, messages), ...orderRows(occasion.summary, messages)],
    closing: [messages.signature],
  };
}

export function orderExpired(occasion: Occasion): Letter {
  const messages = messagesOf(occasion);
  const texts = messages.orderExpired;
  return {
    language: messages.locale,
    subject: texts.subject(occasion.summary.number),
    heading: texts.heading,
    paragraphs: [texts.body, texts.again],
    rows: [...headRows(occasion, messages), ...orderRows(occasion.summary, messages)],
    closing: [messages.signature],
  };
}

export function orderCancelled(occasion: Occasion, reason: CancelReason): Letter {
  const messages = messagesOf(occasion);
  const texts = messages.orderCancelled;
  return {
    language: messages.locale,
    subject: texts.subject(occasion.summary.number),
    heading: texts.heading,
    paragraphs: [texts.reasons[reason], texts.money],
    rows: [...headRows(occasion, messages), ...orderRows(occasion.summary, messages)],
    closing: [messages.signature],
  };
}

/** @param refundedTotal all refunds of the order, this one included */
export function refund(occasion: Occasion, amount: Money, refundedTotal: Money): Letter {
  const messages = messagesOf(occasion);
  const texts = messages.refund;
  const shown = (value: Money) => display(value, messages.locale);
  return {
    language: messages.locale,
    subject: texts.subject(occasion.summary.number),
    heading: texts.heading,
    paragraphs: [texts.body(shown(amount))],
    rows: [
      ...headRows(occasion, messages),
      [messages.refunded, shown(amount)],
      [messages.refundedSoFar, shown(refundedTotal)],
      [messages.total, shown(occasion.summary.total)],
    ],
    closing: [texts.arrival, messages.signature],
  };
}

/** The language that the shopper ordered in. */
function messagesOf({ summary }: Occasion): Messages {
  return summary.locale === 'ko' ? ko : en;
}

function headRows(occasion: Occasion, messages: Messages): Rows {
  return [
    [messages.orderNumber, occasion.summary.number],
    [messages.date, timeIn(occasion.timeZone, occasion.at, messages)],
  ];
}

function orderRows(summary: OrderSummary, messages: Messages): Rows {
  const shown = (value: Money) => display(value, messages.locale);
  const { amount: discount, currency } = summary.discount;
  return [
    ...summary.lines.map((line): Rows[number] => [
      `${line.name} ${messages.quantity(line.quantity)}`,
      shown(line.total),
    ]),
    [messages.subtotal, shown(summary.subtotal)],
    ...(discount > 0 ? [[messages.discount, shown({ amount: -discount, currency })] as const] : []),
    [messages.shipping, shown(summary.shipping)],
    [summary.taxIncluded ? messages.taxIncluded : messages.taxAdded, shown(summary.tax)],
    [messages.total, shown(summary.total)],
  ];
}

const timeFormat = remember(
  (locale, timeZone) =>
    new Intl.DateTimeFormat(locale, {
      timeZone,
      year: 'numeric',
      month: 'long',
      day: 'numeric',
      hour: 'numeric',
      minute: '2-digit',
      timeZoneName: 'short',
    }),
);

function timeIn(timeZone: string, instant: string, { locale }: Messages): string {
  return timeFormat(locale, timeZone).format(new Date(instant));
}

/** Providers spell their codes with hyphens or underscores, with or without `card`. */
function declineReason(code: string): DeclineReason {
  const spelled = code
    .toLowerCase()
    .replace(/_/g, '-')
    .replace(/^card-declined$/, 'declined');
  return Object.hasOwn(en.paymentDeclined.reasons, spelled) ? (spelled as DeclineReason) : 'unknown';
}
