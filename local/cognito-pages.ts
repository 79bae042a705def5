import type { AwsResponse } from './types.ts';

/** A page of the sign-in site. Values are text; nothing of a request is written unescaped. */
export function page(
  status: number,
  title: string,
  body: string,
  headers: Record<string, string> = {},
): AwsResponse {
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      ...headers,
    },
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>body{font:16px system-ui;max-width:22rem;margin:12vh auto;padding:0 1rem}label,input,button{display:block;width:100%;box-sizing:border-box;margin:.4rem 0}input,button{padding:.6rem;font:inherit}</style><h1>${escaped(title)}</h1>${body}</html>`,
  };
}

/** The form that asks for a password, or for a code once the password is known. */
export function signInPage(form: {
  readonly status: number;
  readonly csrf: string;
  /** What is to come back with the form, beside what is typed. */
  readonly hidden: Readonly<Record<string, string>>;
  readonly asks: 'password' | 'code';
  readonly trouble: string | undefined;
  readonly headers?: Record<string, string>;
}): AwsResponse {
  const kept = Object.entries({ _csrf: form.csrf, ...form.hidden })
    .map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`)
    .join('');
  const typed =
    form.asks === 'password'
      ? '<label>E-mail <input name="username" type="email" autocomplete="username" required autofocus></label><label>Password <input name="password" type="password" autocomplete="current-password" required></label>'
      : '<label>Code of your authenticator app <input name="code" inputmode="numeric" pattern="[0-9]{6}" autocomplete="one-time-code" required autofocus></label>';
  const trouble = form.trouble ? `<p role="alert">${escaped(form.trouble)}</p>` : '';
  return page(
    form.status,
    'Sign in',
    `${trouble}<form method="post">${kept}${typed}<button>Sign in</button></form>`,
    form.headers,
  );
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
