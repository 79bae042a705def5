import { refusalOf, sendSigned } from '../../functions/kernel/aws-request.ts';
import type { Found } from './deployment.ts';

/*
 * What a stage consists of, asked of CloudFormation and STS. Both speak the query protocol, whose answers are XML.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html
 */

interface Stage {
  /** Of all stacks; their keys are unique in the app. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly resources: readonly (Found & { readonly type: string })[];
}

/** The outputs and resources of every stack whose name begins with `prefix`. @throws AwsRefusal */
export async function stackResources(region: string, prefix: string): Promise<Stage> {
  const outputs: Record<string, string> = {};
  const resources: (Found & { type: string })[] = [];
  for (const xml of await everyPage(region, { Action: 'DescribeStacks' })) {
    for (const stack of members(xml, 'Stacks')) {
      const name = textOf(stack, 'StackName');
      if (!name.startsWith(prefix)) continue;
      for (const output of members(stack, 'Outputs')) {
        outputs[textOf(output, 'OutputKey')] = textOf(output, 'OutputValue');
      }
      for (const page of await everyPage(region, { Action: 'ListStackResources', StackName: name })) {
        for (const one of members(page, 'StackResourceSummaries')) {
          resources.push({
            stack: name,
            logicalId: textOf(one, 'LogicalResourceId'),
            type: textOf(one, 'ResourceType'),
            ref: textOf(one, 'PhysicalResourceId'),
          });
        }
      }
    }
  }
  return { outputs, resources };
}

/** Whose credentials these are. @throws AwsRefusal */
export async function callerIdentity(region: string): Promise<{ account: string; arn: string }> {
  const xml = await query('sts', region, { Action: 'GetCallerIdentity', Version: '2011-06-15' });
  return { account: textOf(xml, 'Account'), arn: textOf(xml, 'Arn') };
}

async function everyPage(region: string, parameters: Record<string, string>): Promise<string[]> {
  const pages: string[] = [];
  for (let NextToken = ''; ; ) {
    const xml = await query('cloudformation', region, {
      ...parameters,
      Version: '2010-05-15',
      ...(NextToken && { NextToken }),
    });
    pages.push(xml);
    NextToken = textOf(xml, 'NextToken');
    if (!NextToken) return pages;
  }
}

async function query(
  service: 'cloudformation' | 'sts',
  region: string,
  parameters: Record<string, string>,
): Promise<string> {
  const response = await sendSigned(
    {
      service,
      method: 'POST',
      url: new URL(`https://${service}.${region}.amazonaws.com/`),
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: new URLSearchParams(parameters).toString(),
    },
    20_000,
  );
  if (!response.ok) throw await refusalOf(response);
  return response.text();
}

/** The `<member>` elements directly in the first `<name>` of the text. Lists within them may have members of their own. */
function members(xml: string, name: string): string[] {
  const inside = elementAt(xml, name, 0)?.inside ?? '';
  const found: string[] = [];
  for (let at = 0; ; ) {
    const one = elementAt(inside, 'member', at);
    if (!one) return found;
    found.push(one.inside);
    at = one.end;
  }
}

/** The first element of that name from `at` on, with what is nested in it, elements of the same name included. */
function elementAt(xml: string, name: string, at: number): { inside: string; end: number } | undefined {
  const tags = new RegExp(`<(/?)${name}(\\s[^>]*)?(/?)>`, 'g');
  tags.lastIndex = at;
  let depth = 0;
  let from = 0;
  for (let tag = tags.exec(xml); tag; tag = tags.exec(xml)) {
    if (tag[3] === '/') {
      if (depth === 0) return { inside: '', end: tags.lastIndex };
    } else if (tag[1] === '') {
      if (depth++ === 0) from = tags.lastIndex;
    } else if (--depth === 0) return { inside: xml.slice(from, tag.index), end: tags.lastIndex };
  }
  return undefined;
}

function textOf(xml: string, name: string): string {
  const { inside = '' } = elementAt(xml, name, 0) ?? {};
  return inside
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
