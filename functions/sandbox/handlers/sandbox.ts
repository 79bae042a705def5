import { randomUUID } from 'node:crypto';
import { systemNow, systemSleep } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { rotatedSecret } from '../../kernel/secret.ts';
import { documents } from '../../kernel/table.ts';
import { isValidKey } from '../../kernel/valid-key.ts';
import { dynamoBook } from '../adapters/dynamo-book.ts';
import { behindHttpApi } from '../adapters/http-api.ts';
import { answerRequest } from '../app/answer-request.ts';

const {
  SANDBOX_TABLE,
  SANDBOX_URL: baseUrl,
  SANDBOX_SECRET_ARN,
} = environment('SANDBOX_TABLE', 'SANDBOX_URL', 'SANDBOX_SECRET_ARN');
const book = dynamoBook(documents, SANDBOX_TABLE, systemNow);
const { valid } = rotatedSecret(SANDBOX_SECRET_ARN, systemNow);
const ports = {
  book,
  knows: (apiKey: string) => isValidKey(valid, apiKey),
  baseUrl,
  newWord: () => randomUUID().replaceAll('-', ''),
  now: systemNow,
  sleep: systemSleep,
  random: Math.random,
};

export const handler = behindHttpApi(answerRequest(ports));
