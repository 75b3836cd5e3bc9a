// A Postgres of this bench's own, on a Unix socket in a temporary folder, durable as it is by default.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function binaries() {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(root, version, 'bin')), ...(process.env.PATH ?? '').split(':')];
  return folders.find((folder) => existsSync(join(folder, 'initdb')));
}

/** Postgres refuses to run as root: then it runs as the user of its package. */
function owner() {
  if (process.getuid() !== 0) return {};
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((entry) => entry.startsWith('postgres:'));
  if (!line) throw new Error('Postgres does not run as root, and there is no user postgres');
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

/** Undefined where it is not installed. */
export async function startPostgres() {
  const bin = binaries();
  if (!bin) return undefined;
  const user = owner();
  const home = mkdtempSync(join(tmpdir(), 'chlom-pg-bench-'));
  if (user.uid !== undefined) chownSync(home, user.uid, user.gid);
  const data = join(home, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'operator', '-A', 'trust', '-E', 'UTF8', '--no-locale'], { ...user, cwd: home, stdio: 'ignore' });
  const args = ['-D', data, '-k', home, '-c', 'listen_addresses=', '-c', 'max_connections=100'];
  const server = spawn(join(bin, 'postgres'), args, { ...user, cwd: home, stdio: 'ignore' });
  const isReady = () => {
    try {
      execFileSync(join(bin, 'pg_isready'), ['-q', '-h', home], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  const end = Date.now() + 60_000;
  while (!isReady()) {
    if (Date.now() > end || server.exitCode !== null) throw new Error('Postgres does not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url: `postgresql:///postgres?host=${home}&user=operator`,
    async stop() {
      server.kill('SIGINT');
      await new Promise((resolve) => server.once('exit', resolve));
      rmSync(home, { recursive: true, force: true });
    },
  };
}
