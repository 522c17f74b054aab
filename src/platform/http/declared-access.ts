import { SetMetadata } from '@nestjs/common';

/**
 * What a caller may do. `viewer` reads; `operator` also starts, cancels, imports and edits; `worker` only claims and
 * settles external tasks; `admin` may do everything.
 */
export const ROLES = ['viewer', 'operator', 'worker', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What an endpoint asks of its caller: one of these roles (or one that includes it), or nothing at all. */
export type DeclaredAccess = { readonly public: true } | { readonly public: false; readonly roles: readonly Role[] };

export const ACCESS_KEY = 'photosafe:access';

const declare = (access: DeclaredAccess): MethodDecorator & ClassDecorator => SetMetadata(ACCESS_KEY, access);

/**
 * Who may call the endpoint: any of these roles, and the roles that include them (an admin may call everything, an
 * operator whatever a viewer may). On a controller it holds for each endpoint that has none of its own. An endpoint
 * without a declaration stops the boot.
 */
export const Roles = (...roles: [Role, ...Role[]]): MethodDecorator & ClassDecorator =>
  declare({ public: false, roles });

/** No token needed: health only. */
export const Public = (): MethodDecorator & ClassDecorator => declare({ public: true });
