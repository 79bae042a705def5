import { randomUUID } from 'node:crypto';
import { metered } from './meter.ts';
import { requireOperator } from './operator.ts';
import { throttled } from './throttling.ts';
import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  type Caller,
  type Resource,
  type Runtime,
  type Service,
} from './types.ts';

/*
 * SES v2: e-mail is kept instead of sent. https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
 */

const maxRecipients = 50;

/** Amazon SES: sends from the identities of the template. */
export function createSes(runtime: Runtime): Service {
  const { db, clock, iam } = runtime;
  db.exec(`CREATE TABLE IF NOT EXISTS ses_messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, at INTEGER NOT NULL, message TEXT NOT NULL)`);
  const insert = db.prepare('INSERT INTO ses_messages (id, at, message) VALUES (?, ?, ?)');
  const select = db.prepare('SELECT * FROM ses_messages ORDER BY seq');
  const identities = runtime.resources('AWS::SES::EmailIdentity');

  function sendEmail(input: any, caller: Caller) {
    const from: string = input.FromEmailAddress ?? '';
    if (!isOfCognito(from, caller)) authorizeSender(from, input, caller);
    const destination = input.Destination ?? {};
    const to: string[] = destination.ToAddresses ?? [];
    const recipients = [...to, ...(destination.CcAddresses ?? []), ...(destination.BccAddresses ?? [])];
    if (recipients.length === 0 || recipients.length > maxRecipients)
      throw new AwsError('BadRequestException', `A message has between 1 and ${maxRecipients} recipients.`);
    for (const recipient of recipients)
      if (!/^[^\s@]+@[^\s@]+$/.test(addressOf(recipient)))
        throw new AwsError('BadRequestException', `Illegal address: ${recipient}`);
    const simple = input.Content?.Simple;
    if (!simple) throw new AwsError('BadRequestException', 'Only Simple content is emulated.');
    const text = simple.Body?.Text?.Data;
    const html = simple.Body?.Html?.Data;
    if (text === undefined && html === undefined)
      throw new AwsError('BadRequestException', 'Missing required body of the message.');
    const id = randomUUID();
    const tags = Object.fromEntries((input.EmailTags ?? []).map((tag: any) => [tag.Name, tag.Value]));
    const message = {
      channel: 'email',
      to: recipients,
      from,
      subject: simple.Subject?.Data ?? '',
      text,
      html,
      tags,
    };
    insert.run(id, clock.now(), JSON.stringify(message));
    return { MessageId: id };
  }

  /** The sender must be an identity of the template, and the caller's to use. */
  function authorizeSender(from: string, input: any, caller: Caller): void {
    const identity = identityOf(identities, addressOf(from));
    if (!identity)
      throw new AwsError(
        'MessageRejected',
        `Email address is not verified. The following identities failed the check in region ${runtime.region.toUpperCase()}: ${from}`,
      );
    iam.authorize(caller, 'ses:SendEmail', identity.arn, { 'ses:FromAddress': addressOf(from) });
    // With a configuration set AWS asks for permission on it, too.
    const set =
      input.ConfigurationSetName ?? identity.properties.ConfigurationSetAttributes?.ConfigurationSetName;
    if (set !== undefined) iam.authorize(caller, 'ses:SendEmail', configurationSet(set).arn);
  }

  function configurationSet(name: string): Resource {
    const found = runtime.resources('AWS::SES::ConfigurationSet').find((one) => one.ref === name);
    if (!found) throw new AwsError('NotFoundException', `Configuration set <${name}> does not exist.`, 404);
    return found;
  }

  function listMessages(input: any, caller: Caller) {
    requireOperator(caller);
    const items = (select.all() as any[]).map(({ id, at, message }) => ({
      id,
      at: new Date(at).toISOString(),
      ...JSON.parse(message),
    }));
    const wanted = input.To === undefined ? undefined : addressOf(input.To);
    const isFor = (message: any) => message.to.some((one: string) => addressOf(one) === wanted);
    return { items: wanted === undefined ? items : items.filter(isFor) };
  }

  const call = metered(runtime.meter, 'ses', answer, (operation, input) =>
    operation === 'SendEmail'
      ? { resource: 'email', counts: { emails: (input.Destination?.ToAddresses ?? []).length } }
      : undefined,
  );

  async function answer(operation: string, input: any, caller: Caller): Promise<any> {
    if (operation === 'SendEmail') {
      const { ToAddresses = [], CcAddresses = [], BccAddresses = [] } = input.Destination ?? {};
      const count = ToAddresses.length + CcAddresses.length + BccAddresses.length;
      if (!runtime.limits.take('ses.sendRate', { count })) throw throttled('ses', operation);
      return sendEmail(input, caller);
    }
    if (operation === 'ListMessages') return listMessages(input, caller);
    throw new AwsError('UnknownOperationException', `ses:${operation} is not emulated`);
  }

  async function handle(request: AwsRequest, caller: Caller, call: Service['call']): Promise<AwsResponse> {
    if (request.method !== 'POST' || request.path !== '/v2/email/outbound-emails')
      throw new AwsError('NotFoundException', `ses: ${request.method} ${request.path} is not emulated`, 404);
    const answer = await call('SendEmail', parsed(request.body), caller);
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(answer),
    };
  }

  return { name: 'ses', call, handle };
}

/** The identity that may send from an address: the address itself, its domain, or a domain above that. */
function identityOf(identities: readonly Resource[], address: string): Resource | undefined {
  const domain = address.split('@')[1];
  if (!domain) return undefined;
  const named = (name: string) =>
    identities.find((one) => String(one.properties.EmailIdentity).toLowerCase() === name);
  const labels = domain.split('.');
  const domains = labels.map((_, index) => labels.slice(index).join('.'));
  return [address, ...domains].map(named).find((one) => one !== undefined);
}

/** `a@b` of `Name <a@b>`, in lower case. */
function addressOf(mailbox: string): string {
  return (/<([^<>]+)>\s*$/.exec(mailbox)?.[1] ?? mailbox).trim().toLowerCase();
}

function parsed(body: Buffer): any {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new AwsError('BadRequestException', 'The body is not JSON.');
  }
}

/** User pools send from Amazon's own address unless told otherwise: no identity of the template stands behind it. */
function isOfCognito(from: string, caller: Caller): boolean {
  const isCognito = caller.kind === 'service' && caller.service === 'cognito-idp.amazonaws.com';
  return isCognito && from === 'no-reply@verificationemail.com';
}
