import { afterEach, describe, expect, it, vi } from 'vitest';
import { stackResources } from '../../../scripts/operate/cloudformation.ts';

afterEach(() => vi.unstubAllGlobals());

const stacks = (inside: string, next = '') =>
  `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks>${inside}</Stacks>${next}</DescribeStacksResult></DescribeStacksResponse>`;
const stack = (name: string, outputs: string) =>
  `<member><Tags><member><Key>part</Key></member></Tags><Outputs>${outputs}</Outputs><StackName>${name}</StackName></member>`;
const apiUrl =
  '<member><OutputKey>ApiUrl</OutputKey><OutputValue>https://shop.test/?a&amp;b</OutputValue></member>';
const resources = `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries><member>
  <LogicalResourceId>OrderTableA1</LogicalResourceId><PhysicalResourceId>Floodgate-dev-Data-OrderTableA1-X</PhysicalResourceId>
  <ResourceType>AWS::DynamoDB::Table</ResourceType></member></StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`;

describe('the resources of a stage', () => {
  it('are those of its stacks alone, over all pages', async () => {
    const asked: string[] = [];
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubGlobal('fetch', async (_: URL, { body }: { body: string }) => {
      asked.push(body);
      const parameters = new URLSearchParams(body);
      if (parameters.get('Action') === 'ListStackResources') return new Response(resources);
      return new Response(
        parameters.get('NextToken')
          ? stacks(stack('Floodgate-dev-Api', apiUrl))
          : stacks(stack('Another', apiUrl.replace('shop', 'other')), '<NextToken>more</NextToken>'),
      );
    });
    expect(await stackResources('eu-west-1', 'Floodgate-dev-')).toEqual({
      outputs: { ApiUrl: 'https://shop.test/?a&b' },
      resources: [
        {
          stack: 'Floodgate-dev-Api',
          logicalId: 'OrderTableA1',
          type: 'AWS::DynamoDB::Table',
          ref: 'Floodgate-dev-Data-OrderTableA1-X',
        },
      ],
    });
    expect(asked.filter((body) => body.includes('ListStackResources'))).toHaveLength(1);
  });
});
