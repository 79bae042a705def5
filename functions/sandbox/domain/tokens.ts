import { Refusal } from './refusal.ts';

/** How the simulated bank behaves towards a card. */
interface Behaviour {
  /** Undefined: it approves. */
  readonly declines?: 'declined' | 'insufficient-funds';
  /** The shopper must first confirm to the bank (3-D Secure). */
  readonly asksShopper?: true;
  /** `once`: the bank cannot be reached for the first capture, and nothing happens. `always`: it refuses. */
  readonly captureFails?: 'once' | 'always';
  /** Milliseconds that the answer to the authorisation is held back, after its effect. */
  readonly answersAfter?: number;
}

/** Longer than any client waits for an answer. */
const timeout = 10_000;

/** The cards that there are. */
const tokens: Readonly<Record<string, Behaviour>> = {
  tok_approve: {},
  tok_decline: { declines: 'declined' },
  tok_insufficient_funds: { declines: 'insufficient-funds' },
  tok_requires_action: { asksShopper: true },
  tok_capture_fails_once: { captureFails: 'once' },
  tok_capture_fails: { captureFails: 'always' },
  tok_slow: { answersAfter: 2_000 },
  tok_timeout_then_approved: { answersAfter: timeout },
  tok_timeout_then_declined: { answersAfter: timeout, declines: 'declined' },
};

export function unknownToken(): Refusal {
  return new Refusal(422, 'unknown-token', `the tokens are ${Object.keys(tokens).join(', ')}`);
}

export function behaviourOf(token: string): Behaviour | undefined {
  return Object.hasOwn(tokens, token) ? tokens[token] : undefined;
}
