/** What a pipe's input template may name besides the event itself. */
interface PipeVariables {
  readonly 'aws.pipes.pipe-arn': string;
  readonly 'aws.pipes.pipe-name': string;
  readonly 'aws.pipes.source-arn': string;
  readonly 'aws.pipes.target-arn': string;
}

/**
 * Fills the `<$.path>` placeholders of an input template. Inside a JSON string a value is escaped; elsewhere it is
 * written as JSON, so that a string gets its quotes. A path that leads nowhere is an empty string, or null.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
 */
export function fillTemplate(template: string, event: unknown, variables: PipeVariables): string {
  let filled = '';
  let inString = false;
  for (let at = 0; at < template.length; at += 1) {
    const character = template[at]!;
    const placeholder = character === '<' ? /^<(\$[^<>]*|aws\.[^<>]+)>/.exec(template.slice(at)) : null;
    if (placeholder) {
      const value = variable(placeholder[1]!, event, variables);
      filled += inString ? escaped(value) : JSON.stringify(value ?? null);
      at += placeholder[0].length - 1;
      continue;
    }
    if (inString && character === '\\') {
      filled += character + (template[at + 1] ?? '');
      at += 1;
      continue;
    }
    if (character === '"') inString = !inString;
    filled += character;
  }
  return filled;
}

/** The value at a path such as `$.dynamodb.NewImage.type.S` or `$.items[0].id`; undefined where there is none. */
export function valueAt(path: string, event: unknown): unknown {
  let value: any = event;
  for (const [, name, index] of path.slice(1).matchAll(/\.([^.[\]]+)|\[(\d+)\]/g)) {
    value = value?.[name ?? Number(index)];
  }
  return value;
}

function variable(name: string, event: unknown, variables: PipeVariables): unknown {
  if (name === 'aws.pipes.event') return event;
  return name.startsWith('$') ? valueAt(name, event) : variables[name as keyof PipeVariables];
}

function escaped(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
}
