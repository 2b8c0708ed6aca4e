import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Lets another process run `openSource`, which gives a running server, and kills that process; the server's pid. */
export async function serverOfKilledLauncher(openSource: string): Promise<number> {
  const code = `const server = await (async () => { ${openSource} })(); console.log(server.pid); setInterval(() => {}, 1000)`
  const launcher = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: launcher.stdout }), 'line')) as [string]
  launcher.kill('SIGKILL')
  await once(launcher, 'exit')
  return Number(line)
}
