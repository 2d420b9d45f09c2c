import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { knownReason } from './problemReason';

/** What a reason of Kubernetes means in plain words, where there are some. */
export function useProblemName() {
  const { t, i18n } = useTranslation();
  const nameOf = useCallback(
    (reason: string): string | undefined => {
      const key = `problem.name.${reason}`;
      return i18n.exists(key) ? t(key as 'problem.name.OOMKilled') : undefined;
    },
    [t, i18n],
  );
  /** A long message in a few words, in the reader's language. */
  const shortOf = useCallback(
    (message: string): string | undefined => {
      const reason = knownReason(message, (each) => nameOf(each) !== undefined);
      return reason && nameOf(reason);
    },
    [nameOf],
  );
  return { nameOf, shortOf };
}
