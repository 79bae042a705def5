/**
 * `npm run --silent sign-in -- <e-mail> [--pool <id> --client <id>]`: an access token on standard output, for the
 * command line. Password and code are asked for at the terminal, or taken line by line from standard input. The
 * password is not sent (SRP). Without a pool: the embedded cloud at PORT (3000).
 */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { signIn } from './account/sign-in.ts';

const { values, positionals } = parseArgs({
  options: { pool: { type: 'string' }, client: { type: 'string' } },
  allowPositionals: true,
});
const [username] = positionals;
if (!username || positionals.length > 1 || !values.pool !== !values.client) {
  console.error('Usage: npm run --silent sign-in -- <e-mail> [--pool <id> --client <id>]');
  process.exit(2);
}

/** What is typed is not shown. */
const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
const terminal = createInterface({ input: process.stdin, output: unseen, terminal: process.stdin.isTTY });
const lines = terminal[Symbol.asyncIterator]();

try {
  const { endpoint, ...pool } =
    values.pool && values.client ? deployedPool(values.pool, values.client) : await embeddedPool();
  const ask = async (operation: string, input: object) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
      },
      body: JSON.stringify(input),
    });
    const answer = (await response.json()) as { __type?: string; message?: string };
    if (!response.ok) throw new Error(`${answer.__type}: ${answer.message}`);
    return answer;
  };
  const token = await signIn(ask, pool, username, async (question) => {
    process.stderr.write(`${question}: `);
    const { value, done } = await lines.next();
    process.stderr.write('\n');
    if (done) throw new Error(`no ${question} was given`);
    return value;
  });
  console.log(token);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  terminal.close();
}

async function embeddedPool() {
  const response = await fetch(`http://127.0.0.1:${process.env.PORT || '3000'}/_local`);
  const { awsEndpoint, clientId, userPoolId } = (await response.json()) as Record<string, string>;
  return { endpoint: awsEndpoint!, clientId: clientId!, userPoolId: userPoolId! };
}

/** A pool's id begins with its region. */
function deployedPool(userPoolId: string, clientId: string) {
  return {
    endpoint: `https://cognito-idp.${userPoolId.split('_')[0]}.amazonaws.com/`,
    clientId,
    userPoolId,
  };
}
