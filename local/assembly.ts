import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { holds, NO_VALUE, resolve, type Scope } from './intrinsics.ts';
import { checkProperties, isInert } from './resource-properties.ts';
import { identify, isKnownType, LOCAL_API_PORT } from './resource-types.ts';
import type { Resource } from './types.ts';

const DEFAULT_REGION = 'ap-northeast-2';
const DEFAULT_ACCOUNT = '000000000000';
const RESOURCE_MEMBERS = new Set([
  'Type',
  'Properties',
  'Condition',
  'DependsOn',
  'Metadata',
  'DeletionPolicy',
  'UpdateReplacePolicy',
]);

interface Template {
  readonly Parameters?: Record<string, { Type: string; Default?: unknown }>;
  readonly Mappings?: Record<string, Record<string, Record<string, unknown>>>;
  readonly Conditions?: Record<string, unknown>;
  readonly Resources?: Record<string, TemplateResource>;
  readonly Outputs?: Record<string, { Value: unknown; Condition?: string; Export?: { Name: unknown } }>;
  readonly Transform?: unknown;
}

interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
  readonly Condition?: string;
}

interface StackTemplate {
  readonly name: string;
  readonly region: string;
  readonly account: string;
  readonly template: Template;
}

/** A synthesised cloud assembly (`cdk.out`) as it stands on disk, before anything is resolved. */
interface SynthesisedAssembly {
  readonly region: string;
  readonly account: string;
  /** In an order in which every stack comes after those it depends on. */
  readonly stacks: readonly StackTemplate[];
  /** Every HTTP API as `<stack>/<logicalId>`, the main one (whose URL is the output `ApiUrl`) first. */
  readonly apis: readonly string[];
  /** The asset's file or folder, by S3 object key. */
  readonly assets: ReadonlyMap<string, string>;
}

/** Where the embedded cloud listens; resolved URLs point there. */
interface Addresses {
  readonly endpoint: string;
  /** The port of an HTTP API, by `<stack>/<logicalId>`. */
  readonly apiPorts: ReadonlyMap<string, number>;
}

interface Assembly {
  readonly resources: readonly Resource[];
  readonly outputs: Record<string, Record<string, string>>;
}

const REPORTED_PROBLEMS = 30;

/** The assembly asks for something that the embedded cloud does not have; `message` lists the places. */
class AssemblyError extends Error {
  constructor(problems: readonly string[]) {
    const lines = problems.slice(0, REPORTED_PROBLEMS);
    if (problems.length > lines.length) lines.push(`and ${problems.length - lines.length} more`);
    super(`The embedded cloud cannot run this assembly:\n${lines.map((line) => `  ${line}`).join('\n')}`);
    this.name = 'AssemblyError';
  }
}

/** Reads manifest, templates and asset manifests of the folder that `cdk synth` wrote, nested assemblies included. */
export function readAssembly(directory: string): SynthesisedAssembly {
  const stacks: StackTemplate[] = [];
  const assets = new Map<string, string>();
  collect(directory, stacks, assets);
  const apis = stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources ?? {})
      .filter(([, resource]) => resource.Type === 'AWS::ApiGatewayV2::Api')
      .map(([logicalId]) => ({ id: `${stack.name}/${logicalId}`, main: namesApiUrl(stack, logicalId) })),
  );
  apis.sort((a, b) => Number(b.main) - Number(a.main));
  const home = stacks.find((stack) => !isGlobalOnly(stack)) ?? stacks[0];
  return {
    region: home?.region ?? DEFAULT_REGION,
    account: home?.account ?? DEFAULT_ACCOUNT,
    stacks,
    apis: apis.map((api) => api.id),
    assets,
  };
}

function collect(directory: string, stacks: StackTemplate[], assets: Map<string, string>): void {
  const manifest = readJson(join(directory, 'manifest.json'));
  const artifacts: Record<string, any> = manifest.artifacts ?? {};
  const visited = new Set<string>();
  const visit = (id: string): void => {
    const artifact = artifacts[id];
    if (!artifact || visited.has(id)) return;
    visited.add(id);
    for (const dependency of artifact.dependencies ?? []) visit(dependency);
    if (artifact.type === 'cdk:cloud-assembly') {
      collect(join(directory, artifact.properties.directoryName), stacks, assets);
    } else if (artifact.type === 'cdk:asset-manifest') {
      collectAssets(directory, artifact.properties.file, assets);
    } else if (artifact.type === 'aws:cloudformation:stack') {
      const [account, region] = String(artifact.environment).replace('aws://', '').split('/');
      stacks.push({
        name: artifact.properties.stackName ?? id,
        account: !account || account === 'unknown-account' ? DEFAULT_ACCOUNT : account,
        region: !region || region === 'unknown-region' ? DEFAULT_REGION : region,
        template: readJson(join(directory, artifact.properties.templateFile)),
      });
    }
  };
  for (const id of Object.keys(artifacts)) visit(id);
}

function collectAssets(directory: string, file: string, assets: Map<string, string>): void {
  for (const asset of Object.values<any>(readJson(join(directory, file)).files ?? {})) {
    for (const destination of Object.values<any>(asset.destinations)) {
      assets.set(destination.objectKey, join(directory, asset.source.path));
    }
  }
}

function readJson(file: string): any {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function namesApiUrl(stack: StackTemplate, logicalId: string): boolean {
  return JSON.stringify(stack.template.Outputs?.ApiUrl?.Value ?? null).includes(`"${logicalId}"`);
}

/** CloudFront's certificates and web ACLs live in us-east-1 whatever region the store is in. */
function isGlobalOnly(stack: StackTemplate): boolean {
  const types = Object.values(stack.template.Resources ?? {}).map((resource) => resource.Type);
  return stack.region === 'us-east-1' && types.every((type) => !isKnownType(type) || isInert(type));
}

/**
 * Resolves every resource of the assembly.
 * @throws AssemblyError naming each type, property or expression that is not supported.
 */
export function resolveAssembly(synthesised: SynthesisedAssembly, addresses: Addresses): Assembly {
  return new Resolution(synthesised, addresses).run();
}

/** What is known of a resource before its properties are resolved: nothing but its naming properties is needed. */
interface Named {
  readonly ref: string;
  readonly arn: string;
  readonly attributes: Record<string, string>;
}

class Resolution {
  readonly #synthesised: SynthesisedAssembly;
  readonly #addresses: Addresses;
  readonly #named = new Map<string, Named>();
  readonly #naming = new Set<string>();
  readonly #scopes = new Map<string, Scope>();
  readonly #problems: string[] = [];
  #exports: Map<string, { scope: Scope; value: unknown }> | undefined;
  #parameters: Map<string, string> | undefined;

  constructor(synthesised: SynthesisedAssembly, addresses: Addresses) {
    this.#synthesised = synthesised;
    this.#addresses = addresses;
  }

  run(): Assembly {
    const resources = this.#synthesised.stacks.flatMap((stack) => this.#resourcesOf(stack));
    const outputs: Record<string, Record<string, string>> = {};
    for (const stack of this.#synthesised.stacks) outputs[stack.name] = this.#outputsOf(stack);
    if (this.#problems.length > 0) throw new AssemblyError(this.#problems);
    return { resources, outputs };
  }

  #resourcesOf(stack: StackTemplate): Resource[] {
    const scope = this.#scope(stack);
    const resources: Resource[] = [];
    if (stack.template.Transform) this.#problems.push(`${stack.name}: Transform is not supported`);
    for (const [logicalId, declared] of Object.entries(stack.template.Resources ?? {})) {
      const place = `${stack.name}/${logicalId} (${declared.Type})`;
      const unknown = Object.keys(declared).filter((member) => !RESOURCE_MEMBERS.has(member));
      for (const member of unknown) this.#problems.push(`${place}: ${member} is not supported`);
      if (!isKnownType(declared.Type)) {
        this.#problems.push(`${place}: this resource type is not supported`);
        continue;
      }
      this.#attempt(place, () => {
        if (declared.Condition && !scope.condition(declared.Condition)) return;
        const properties = resolve(declared.Properties ?? {}, scope) as Record<string, any>;
        for (const path of checkProperties(declared.Type, properties)) {
          this.#problems.push(`${place}: the property ${path} is not supported`);
        }
        const named = this.#name(stack, logicalId);
        resources.push({ stack: stack.name, logicalId, type: declared.Type, properties, ...named });
      });
    }
    return resources;
  }

  #outputsOf(stack: StackTemplate): Record<string, string> {
    const scope = this.#scope(stack);
    const outputs: Record<string, string> = {};
    for (const [name, output] of Object.entries(stack.template.Outputs ?? {})) {
      this.#attempt(`${stack.name}, output ${name}`, () => {
        if (!output.Condition || scope.condition(output.Condition)) {
          outputs[name] = String(resolve(output.Value, scope));
        }
      });
    }
    return outputs;
  }

  #attempt(place: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#problems.push(`${place}: ${(error as Error).message}`);
    }
  }

  #name(stack: StackTemplate, logicalId: string): Named {
    const id = `${stack.name}/${logicalId}`;
    const known = this.#named.get(id);
    if (known) return known;
    const declared = stack.template.Resources?.[logicalId];
    if (!declared) throw new Error(`${logicalId} is neither a resource nor a parameter of ${stack.name}`);
    if (this.#naming.has(id)) throw new Error(`the name of ${logicalId} depends on itself`);
    this.#naming.add(id);
    try {
      const named = this.#identify(stack, logicalId, declared);
      this.#named.set(id, named);
      return named;
    } finally {
      this.#naming.delete(id);
    }
  }

  #identify(stack: StackTemplate, logicalId: string, declared: TemplateResource): Named {
    const scope = this.#scope(stack);
    const port = this.#addresses.apiPorts.get(`${stack.name}/${logicalId}`);
    return identify(declared.Type, {
      stack: stack.name,
      logicalId,
      region: stack.region,
      account: stack.account,
      endpoint: this.#addresses.endpoint,
      ...(port === undefined ? {} : { port }),
      property: (name) => {
        const value = resolve(declared.Properties?.[name], scope);
        return value === undefined || value === NO_VALUE ? undefined : String(value);
      },
    });
  }

  #scope(stack: StackTemplate): Scope {
    const known = this.#scopes.get(stack.name);
    if (known) return known;
    const { template } = stack;
    const pseudo: Record<string, unknown> = {
      'AWS::Region': stack.region,
      'AWS::AccountId': stack.account,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': stack.name,
      'AWS::StackId': `arn:aws:cloudformation:${stack.region}:${stack.account}:stack/${stack.name}/local`,
      'AWS::NoValue': NO_VALUE,
      'AWS::NotificationARNs': [],
    };
    const scope: Scope = {
      ref: (name) => {
        if (Object.hasOwn(pseudo, name)) return pseudo[name];
        const parameter = template.Parameters?.[name];
        return parameter ? this.#parameter(name, parameter) : this.#name(stack, name).ref;
      },
      attribute: (logicalId, attribute) => {
        const { attributes } = this.#name(stack, logicalId);
        const value = attributes[attribute];
        if (value !== undefined) return value;
        const type = template.Resources?.[logicalId]?.Type ?? '';
        // Nothing that runs reads what an inert resource answers; a name that says so is enough.
        if (isInert(type)) return `${logicalId}.${attribute}`;
        throw new Error(`${logicalId} (${type}) has no attribute ${attribute} here`);
      },
      importValue: (name) => this.#import(name),
      stackOutput: (name, output) => this.#stackOutput(name, output),
      mapping: (map, first, second) => {
        const value = template.Mappings?.[map]?.[first]?.[second];
        if (value === undefined) throw new Error(`Fn::FindInMap: ${map}.${first}.${second} does not exist`);
        return value;
      },
      condition: (name) => {
        const expression = template.Conditions?.[name];
        if (expression === undefined) throw new Error(`the condition ${name} does not exist`);
        return holds(expression, scope);
      },
      dynamicReference: (service, reference) => this.#dynamicReference(service, reference),
      finish: (text) => this.#toLocalUrl(text),
    };
    this.#scopes.set(stack.name, scope);
    return scope;
  }

  #parameter(name: string, parameter: { Type: string; Default?: unknown }): unknown {
    if (parameter.Default === undefined) throw new Error(`the parameter ${name} has no default value`);
    if (parameter.Type.startsWith('AWS::SSM::Parameter::Value')) {
      return this.#storedParameters().get(String(parameter.Default)) ?? parameter.Default;
    }
    return parameter.Type.startsWith('List<') || parameter.Type === 'CommaDelimitedList'
      ? String(parameter.Default).split(',')
      : parameter.Default;
  }

  #import(name: string): unknown {
    if (!this.#exports) {
      this.#exports = new Map();
      for (const stack of this.#synthesised.stacks) {
        const scope = this.#scope(stack);
        for (const { Export, Value } of Object.values(stack.template.Outputs ?? {})) {
          if (Export) this.#exports.set(String(resolve(Export.Name, scope)), { scope, value: Value });
        }
      }
    }
    const exported = this.#exports.get(name);
    if (!exported) throw new Error(`Fn::ImportValue: no stack exports ${name}`);
    return resolve(exported.value, exported.scope);
  }

  #stackOutput(name: string, output: string): unknown {
    const stack = this.#synthesised.stacks.find((one) => one.name === name);
    const declared = stack?.template.Outputs?.[output];
    if (!stack || !declared) throw new Error(`Fn::GetStackOutput: ${name} has no output ${output}`);
    return resolve(declared.Value, this.#scope(stack));
  }

  #dynamicReference(service: string, reference: string): string {
    if (service === 'ssm') {
      const value =
        this.#storedParameters().get(reference) ?? this.#storedParameters().get(stripVersion(reference));
      if (value !== undefined) return value;
    }
    // A secret's value is made when the cloud first runs and is nobody's environment variable.
    throw new Error(`{{resolve:${service}:…}} is not supported; read the value at run time`);
  }

  #storedParameters(): Map<string, string> {
    if (!this.#parameters) {
      this.#parameters = new Map();
      for (const stack of this.#synthesised.stacks) {
        const scope = this.#scope(stack);
        for (const { Type, Properties } of Object.values(stack.template.Resources ?? {})) {
          if (Type !== 'AWS::SSM::Parameter' || !Properties?.Name) continue;
          this.#parameters.set(
            String(resolve(Properties.Name, scope)),
            String(resolve(Properties.Value, scope)),
          );
        }
      }
    }
    return this.#parameters;
  }

  /** `https://<api>.execute-api.…` is how a template spells an HTTP API's address. */
  #toLocalUrl(text: string): string {
    return text.replace(/https:\/\/([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com/g, (whole, apiId) => {
      for (const named of this.#named.values()) {
        if (named.ref === apiId && named.attributes[LOCAL_API_PORT]) return named.attributes.ApiEndpoint!;
      }
      return whole;
    });
  }
}

function stripVersion(reference: string): string {
  return reference.replace(/:\d+$/, '');
}
