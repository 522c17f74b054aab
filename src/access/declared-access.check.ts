import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Endpoints } from '../platform/http/endpoints.js';

/** Deny by default, said at boot: an endpoint that declares neither `@Roles(…)` nor `@Public()` stops it. */
@Injectable()
export class DeclaredAccessCheck implements OnModuleInit {
  constructor(private readonly endpoints: Endpoints) {}

  onModuleInit(): void {
    const undeclared = this.endpoints.list().filter(({ access }) => access === undefined);
    if (undeclared.length === 0) return;
    const names = undeclared.map(({ controller, method }) => `${controller}.${method}`);
    throw new Error(
      `Who may call these endpoints is not declared: ${names.join(', ')}. ` +
        `Give each (or its controller) @Roles('viewer' | 'operator' | 'worker' | 'admin') or @Public().`,
    );
  }
}
