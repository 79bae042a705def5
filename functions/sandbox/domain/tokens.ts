/** How the simulated bank behaves towards a card. */
interface Behaviour {
  /** Undefined: it approves. */
  readonly declines?: 'declined' | 'insufficient-funds';
  readonly captureFails?: true;
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
  tok_capture_fails: { captureFails: true },
  tok_slow: { answersAfter: 2_000 },
  tok_timeout_then_approved: { answersAfter: timeout },
  tok_timeout_then_declined: { answersAfter: timeout, declines: 'declined' },
};

export const tokenNames = Object.keys(tokens);

export function behaviourOf(token: string): Behaviour | undefined {
  return Object.hasOwn(tokens, token) ? tokens[token] : undefined;
}
