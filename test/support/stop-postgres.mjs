import { rm } from 'node:fs/promises';

export default async function stopPostgres() {
  const { server, dataDir } = globalThis.photosafeTestPostgres ?? {};
  globalThis.photosafeTestPostgres = undefined;
  await server?.stop('immediate');
  await server?.release();
  if (dataDir) await rm(dataDir, { recursive: true, force: true });
}
