/**
 * The tables of the store that runs at PORT (3000) on this machine, by context. The AWS SDK of this process is pointed
 * at it, as the operator: import clients afterwards.
 * @throws Error when no store answers there
 */
export async function localTables(
  apiUrl = `http://127.0.0.1:${process.env.PORT || '3000'}`,
): Promise<Record<'finance' | 'order', string>> {
  const response = await fetch(new URL('/_local', apiUrl)).catch(() => undefined);
  if (!response?.ok) throw new Error(`no store answers at ${apiUrl}; npm start runs one`);
  const { awsEndpoint, region, resources } = (await response.json()) as {
    awsEndpoint: string;
    region: string;
    resources: { type: string; logicalId: string; ref: string }[];
  };
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: awsEndpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: 'LOCALOPERATOR',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  const table = (context: string) => {
    const found = resources.find(
      ({ type, logicalId }) =>
        type === 'AWS::DynamoDB::Table' && logicalId.toLowerCase().startsWith(`${context}table`),
    );
    if (!found) throw new Error(`the store has no ${context} table`);
    return found.ref;
  };
  return { finance: table('finance'), order: table('order') };
}
