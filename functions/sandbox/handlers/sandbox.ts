import { randomUUID } from 'node:crypto';
import { systemNow, systemSleep } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { secretText } from '../../kernel/secret.ts';
import { documents } from '../../kernel/table.ts';
import { dynamoBook } from '../adapters/dynamo-book.ts';
import { behindHttpApi } from '../adapters/http-api.ts';
import { answerRequest } from '../app/answer-request.ts';

const {
  SANDBOX_TABLE,
  SANDBOX_URL: baseUrl,
  SANDBOX_SECRET_ARN,
} = environment('SANDBOX_TABLE', 'SANDBOX_URL', 'SANDBOX_SECRET_ARN');
const book = dynamoBook(documents, SANDBOX_TABLE, systemNow);
const apiKey = secretText(SANDBOX_SECRET_ARN);
const ports = {
  book,
  apiKey,
  baseUrl,
  newWord: () => randomUUID().replaceAll('-', ''),
  now: systemNow,
  sleep: systemSleep,
  random: Math.random,
};

export const handler = behindHttpApi(answerRequest(ports));
