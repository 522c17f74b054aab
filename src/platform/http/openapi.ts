import type { INestApplication } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { declareWholeNumbers } from './declare-whole-numbers.js';
import type { DeclaredAccess } from './declared-access.js';
import { ProblemDto } from './dto/problem.dto.js';
import { Endpoints } from './endpoints.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Responses = Operation['responses'];

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
  for (const [path, operation] of operationsOf(document)) {
    declareAccess(operation, access.get(operation.operationId ?? ''));
    operation.responses = { ...operation.responses, ...problemResponses(path, operation) };
  }
  return { ...document, paths: sorted(document.paths), components: sortedComponents(document.components) };
}

function* operationsOf(document: OpenAPIObject): Generator<[path: string, Operation]> {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation !== undefined) yield [path, operation];
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

/** Which problems an operation can answer with, from what it takes and who may call it. */
function problemResponses(path: string, operation: Operation): Responses {
  const takesInput = operation.requestBody !== undefined || (operation.parameters ?? []).length > 0;
  const isPublic = operation.security?.length === 0;
  return {
    ...(!isPublic && { 401: problemResponse('No token, or one that is not valid.') }),
    ...(!isPublic && { 403: problemResponse('The role of the token does not allow this.') }),
    ...(path.includes('{') && { 404: problemResponse('There is no such thing.') }),
    ...(takesInput && { 422: problemResponse('A field is not acceptable; `errors` names every one.') }),
    ...(!isPublic && { 503: problemResponse('Unavailable for now; Retry-After says when to try again.') }),
    default: problemResponse('Any other problem.'),
  };
}

const problemResponse = (description: string): NonNullable<Responses[string]> => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDto' } } },
});

const sorted = <Value>(record: Record<string, Value>): Record<string, Value> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

const sortedComponents = (components: OpenAPIObject['components']): OpenAPIObject['components'] =>
  components && { ...components, schemas: sorted(components.schemas ?? {}) };
