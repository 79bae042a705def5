import type { CodePurpose, User } from './cognito-directory.ts';
import { confirmationCode } from './cognito-passwords.ts';
import type { Pool } from './cognito-pool.ts';
import type { Runtime } from './types.ts';

/**
 * Makes a code for the user, keeps it and sends it. Answers Cognito's `CodeDeliveryDetails`.
 * @param newAddress where to send it instead of to the user's address, which it replaces once the code comes back
 */
export async function sendCode(
  runtime: Runtime,
  pool: Pool,
  user: User,
  purpose: CodePurpose,
  newAddress?: string,
): Promise<object> {
  const address = newAddress ?? user.attributes.email;
  if (!address) return {};
  const code = confirmationCode();
  pool.directory.keepCode(user, purpose, code, newAddress);
  const template = pool.resource.properties.VerificationMessageTemplate ?? {};
  const subject: string = template.EmailSubject ?? 'Your verification code';
  const message: string = template.EmailMessage ?? 'Your confirmation code is {####}';
  await sendMail(runtime, pool, address, subject, message.replaceAll('{####}', code));
  return deliveryTo(address);
}

export async function sendMail(
  runtime: Runtime,
  pool: Pool,
  to: string,
  subject: string,
  text: string,
): Promise<void> {
  const message = {
    FromEmailAddress: pool.resource.properties.EmailConfiguration?.From ?? 'no-reply@verificationemail.com',
    Destination: { ToAddresses: [to] },
    Content: { Simple: { Subject: { Data: subject }, Body: { Text: { Data: text } } } },
  };
  const sourceArn = pool.resource.arn;
  await runtime.call('ses', 'SendEmail', message, {
    kind: 'service',
    service: 'cognito-idp.amazonaws.com',
    sourceArn,
  });
}

/** The address as Cognito shows it: `j***@e***`. */
export function deliveryTo(address: string): object {
  const [name = '', domain = ''] = address.split('@');
  return {
    AttributeName: 'email',
    DeliveryMedium: 'EMAIL',
    Destination: `${name.slice(0, 1)}***@${domain.slice(0, 1)}***`,
  };
}
