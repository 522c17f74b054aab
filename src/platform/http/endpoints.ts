import { Injectable, type Type } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { ACCESS_KEY, type DeclaredAccess } from './declared-access.js';

/** A method of a controller that answers requests. */
export interface Endpoint {
  readonly controller: string;
  /** Also the id of the operation in OpenAPI. */
  readonly method: string;
  /** Undefined when nothing is declared. */
  readonly access: DeclaredAccess | undefined;
}

/** All endpoints of the application. */
@Injectable()
export class Endpoints {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  list(): Endpoint[] {
    return this.discovery
      .getControllers()
      .flatMap(({ metatype }) => (isClass(metatype) ? this.endpointsOf(metatype) : []));
  }

  private endpointsOf(controller: Type): Endpoint[] {
    const prototype = controller.prototype as Record<string, () => unknown>;
    return this.scanner.getAllMethodNames(prototype).flatMap((method) => {
      const handler = prototype[method];
      if (handler === undefined || !Reflect.hasMetadata(METHOD_METADATA, handler)) return [];
      const access = this.reflector.getAllAndOverride<DeclaredAccess | undefined>(ACCESS_KEY, [handler, controller]);
      return [{ controller: controller.name, method, access }];
    });
  }
}

const isClass = (metatype: unknown): metatype is Type => typeof metatype === 'function';
