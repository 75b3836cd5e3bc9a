// What Linux says of a process.
import { readFileSync } from 'node:fs';

/** Clock ticks a second: Linux shows 100 to every program. */
const TICKS = 100;
const LOOK_MS = 20;

/** Processor time that a process has used, seconds. */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name may hold anything, in brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** The most memory that a process has had in RAM, MB, looked at until `stop`. */
export function peakMemory(pid) {
  let most = 0;
  const look = () => {
    try {
      const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
      most = Math.max(most, Number(found?.[1] ?? 0) / 1024);
    } catch {
      // It has ended.
    }
  };
  const timer = setInterval(look, LOOK_MS);
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}
