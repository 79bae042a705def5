/*
 * What a rule's target receives: the event, a part of it, or a text with parts of it.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */

interface InputProperties {
  readonly Input?: string;
  readonly InputPath?: string;
  readonly InputTransformer?: {
    readonly InputPathsMap?: Record<string, string>;
    readonly InputTemplate: string;
  };
}

/**
 * Reads how a target wants its input once; the answer turns an event into the JSON text to deliver.
 * @throws Error naming a path that is not supported.
 */
export function compileInput(
  target: InputProperties,
  ruleArn: string,
): (event: Record<string, unknown>) => string {
  const { Input, InputPath, InputTransformer } = target;
  if (Input !== undefined) return () => Input;
  if (InputPath !== undefined) {
    const read = compilePath(InputPath);
    return (event) => JSON.stringify(read(event) ?? {});
  }
  if (!InputTransformer) return (event) => JSON.stringify(event);
  const paths = Object.entries(InputTransformer.InputPathsMap ?? {}).map(
    ([name, path]) => [name, compilePath(path)] as const,
  );
  return (event) => {
    const values = new Map<string, unknown>(paths.map(([name, read]) => [name, read(event)]));
    values.set('aws.events.rule-arn', ruleArn);
    values.set('aws.events.rule-name', ruleArn.split('/').at(-1));
    values.set('aws.events.event.ingestion-time', event.time);
    values.set('aws.events.event', { ...event, detail: undefined });
    values.set('aws.events.event.json', event);
    return fillTemplate(InputTransformer.InputTemplate, values);
  };
}

/** Inside a quoted string a value is inserted as text, elsewhere as JSON. */
function fillTemplate(template: string, values: Map<string, unknown>): string {
  let quoted = false;
  return template.replace(/\\.|"|<([\w.-]+)>/g, (found, name: string | undefined) => {
    if (found === '"') quoted = !quoted;
    if (name === undefined || !values.has(name)) return found;
    const value = values.get(name) ?? '';
    const json = JSON.stringify(value);
    if (!quoted) return json;
    return typeof value === 'string' ? json.slice(1, -1) : JSON.stringify(json).slice(1, -1);
  });
}

function compilePath(path: string): (event: unknown) => unknown {
  const steps = path.match(/\.[\w-]+|\[\d+\]|\['[^']+'\]/g) ?? [];
  if (`$${steps.join('')}` !== path) throw new Error(`Event path ${path} is not supported`);
  const keys = steps.map((step) => (step.startsWith('.') ? step.slice(1) : step.replace(/^\['?|'?\]$/g, '')));
  return (event) => keys.reduce<any>((value, key) => value?.[key], event);
}
