/** Checks whether a process of this machine, or of this container, is running. */
import { hasProperty } from "effect/Predicate"

export const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM means that the process runs as another user
    return hasProperty(error, "code") && error.code === "EPERM"
  }
}
