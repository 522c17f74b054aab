import type { INestApplication } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { declareWholeNumbers } from './declare-whole-numbers.js';
import type { DeclaredAccess } from './declared-access.js';
import { ProblemDto } from './dto/problem.dto.js';
import { Endpoints } from './endpoints.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Responses = Operation['responses'];

interface Located {
  readonly path: string;
  readonly method: (typeof METHODS)[number];
  readonly operation: Operation;
}

/** What each status means wherever it occurs; `code` says which of its problems it is. */
const PROBLEMS = {
  400: 'The path or the body cannot be read.',
  401: 'No token, or one that is not valid.',
  403: 'The role of the token does not allow this.',
  404: 'There is no such thing.',
  409: 'What there is already does not allow this, or several ids begin with these digits.',
  413: 'The body is too large.',
  415: 'The body is of a type that is not read here.',
  422: 'A field is not acceptable; `errors` names every one.',
  500: 'A bug; `error_id` finds it in the log.',
  503: 'Unavailable for now; Retry-After says when to try again.',
} as const;

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

const DESCRIPTION = `One backend for the long work of a library of photos: it takes work, does it in the background and never loses it.

Every path also answers under \`/api/v1\`. Every answer with a status of 400 or more is an RFC 9457 problem document whose
\`code\` is stable. A bearer token is needed everywhere but for health and these pages; \`photosafe token create\` makes one.`;

/** The API as OpenAPI 3.1. The same routes give the same document, byte for byte, whatever the order of modules. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('PhotoSafe')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .setOpenAPIVersion('3.1.0')
    // addBearerAuth() would call it a JWT.
    .addSecurity('token', { type: 'http', scheme: 'bearer', description: 'A token: `ps_…`' })
    .addSecurityRequirements('token')
    .build();
  declareWholeNumbers();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
    extraModels: [ProblemDto],
  });
  const access = accessByMethod(endpointsIn(app));
  for (const located of operationsOf(document)) {
    const { operation } = located;
    declareAccess(operation, access.get(operation.operationId ?? ''));
    operation.responses = { ...problemResponses(located), ...operation.responses };
  }
  return { ...document, paths: sorted(document.paths), components: sortedComponents(document.components) };
}

function* operationsOf(document: OpenAPIObject): Generator<Located> {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation !== undefined) yield { path, method, operation };
    }
  }
}

/** Not the provider: in preview mode Nest makes none. */
const endpointsIn = (app: INestApplication): Endpoints =>
  new Endpoints(new DiscoveryService(app.get(ModulesContainer)), new MetadataScanner(), new Reflector());

/** An operation's id is its method's name, and generated clients make a function of it: it has to be the only one. */
function accessByMethod(endpoints: Endpoints): Map<string, DeclaredAccess | undefined> {
  const byMethod = new Map<string, DeclaredAccess | undefined>();
  for (const { controller, method, access } of endpoints.list()) {
    if (byMethod.has(method))
      throw new Error(`${controller}.${method}: another endpoint has that name; name them apart`);
    byMethod.set(method, access);
  }
  return byMethod;
}

function declareAccess(operation: Operation, access: DeclaredAccess | undefined): void {
  if (access === undefined) return;
  if (access.public) {
    operation.security = [];
    return;
  }
  const role = `Role: ${access.roles.join(' or ')}.`;
  operation.description = operation.description ? `${operation.description}\n\n${role}` : role;
}

/** Which problems an operation can answer with, from what it takes, what it does and who may call it. */
function problemResponses({ path, method, operation }: Located): Responses {
  const takesBody = operation.requestBody !== undefined;
  const namesOne = path.includes('{');
  const takesInput = takesBody || (operation.parameters ?? []).length > 0;
  const isPublic = operation.security?.length === 0;
  const occurring: Readonly<Record<keyof typeof PROBLEMS, boolean>> = {
    ...{ 400: takesBody || namesOne, 401: !isPublic, 403: !isPublic, 404: takesBody || namesOne },
    ...{
      409: method !== 'get' || namesOne,
      413: takesBody,
      415: takesBody,
      422: takesInput,
      500: true,
      503: !isPublic,
    },
  };
  const statuses = Object.entries(occurring).flatMap(([status, occurs]) => (occurs ? [status] : []));
  return Object.fromEntries(
    statuses.map((status) => [status, { $ref: `#/components/responses/${problemName(status)}` }]),
  );
}

const problemName = (status: string): string => `Problem${status}`;

/** Said once: operations refer to them. */
const problemComponents = (): Record<string, NonNullable<Responses[string]>> =>
  Object.fromEntries(
    Object.entries(PROBLEMS).map(([status, description]) => [
      problemName(status),
      { description, content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDto' } } } },
    ]),
  );

const sorted = <Value>(record: Record<string, Value>): Record<string, Value> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

const sortedComponents = (components: OpenAPIObject['components']): OpenAPIObject['components'] =>
  components && { ...components, responses: problemComponents(), schemas: sorted(components.schemas ?? {}) };
