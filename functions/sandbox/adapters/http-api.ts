import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { securityHeaders } from '../../kernel/security-headers.ts';
import type { SandboxAnswer, SandboxRequest } from '../app/answer-request.ts';

/** The bank's page has forms, which lead back here. */
const ofPages = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/** Serves `answer` behind an HTTP API (payload format 2.0). */
export function behindHttpApi(answer: (request: SandboxRequest) => Promise<SandboxAnswer>) {
  return async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const body = event.body ?? '';
    const {
      status,
      body: text,
      replayed,
      html,
      csv,
    } = await answer({
      method: event.requestContext.http.method,
      path: event.rawPath,
      query: event.queryStringParameters ?? {},
      authorization: event.headers.authorization,
      idempotencyKey: event.headers['idempotency-key'],
      body: event.isBase64Encoded ? Buffer.from(body, 'base64').toString() : body,
    });
    const type = html ? 'text/html; charset=utf-8' : csv ? 'text/csv; charset=utf-8' : 'application/json';
    const headers = {
      'content-type': type,
      'cache-control': 'no-store',
      ...securityHeaders,
      ...(html && { 'content-security-policy': ofPages }),
    };
    return {
      statusCode: status,
      headers: replayed ? { ...headers, 'idempotent-replayed': 'true' } : headers,
      body: text,
    };
  };
}
