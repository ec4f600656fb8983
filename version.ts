import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const manifest = z.object({ version: z.string() })

// The package's own name resolves to the same package.json from the sources and from dist/.
const path = fileURLToPath(import.meta.resolve('django-mcp-server/package.json'))

/** Version of this package, as package.json states it. */
export const version: string = manifest.parse(JSON.parse(readFileSync(path, 'utf8'))).version
