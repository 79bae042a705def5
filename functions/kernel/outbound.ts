/*
 * The only door out of a function (Biome refuses `fetch` and the network modules everywhere else): it opens to what the
 * function's template names, and to the AWS services that are used. The SDK's clients take no other address than
 * their service's, and what they may do there is in the function's role.
 */

/** Variables that hold an address. */
const named = ['JWKS_URI', 'SANDBOX_URL', 'API_URL'];

/** Prefixes of `<region>.amazonaws.com`. Not all of that: anybody can have an API or a bucket there. */
const awsServices =
  /^(?:application-autoscaling|cloudformation|cognito-idp|dynamodb|email|events|kms|monitoring|secretsmanager|sqs|sts)$/;

/** @throws Error for any other destination, before anything is sent */
export async function outbound(url: string | URL, init: RequestInit): Promise<Response> {
  const destination = new URL(url);
  if (!isAllowed(destination)) throw new Error(`no destination of this function: ${destination.origin}`);
  return fetch(destination, init);
}

function isAllowed({ origin, protocol, hostname }: URL): boolean {
  const addresses = Object.entries(process.env)
    .filter(([name]) => named.includes(name) || name.startsWith('AWS_ENDPOINT_URL'))
    .map(([, address]) => address ?? '');
  if (addresses.some((address) => URL.canParse(address) && new URL(address).origin === origin)) return true;
  const suffix = `.${process.env.AWS_REGION}.amazonaws.com`;
  if (protocol !== 'https:' || !hostname.endsWith(suffix)) return false;
  const service = hostname.slice(0, -suffix.length);
  return awsServices.test(service) || service === `${process.env.EXPORT_BUCKET}.s3`;
}
