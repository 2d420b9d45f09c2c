import { Tooltip } from 'antd';
import { useProblemName } from './useProblemName';
import styles from './ShortMessage.module.css';

/** A message of the server in a few words; all of it on hover. */
export function ShortMessage({ message }: { message: string }) {
  const { shortOf } = useProblemName();
  const short = shortOf(message);
  return (
    <Tooltip title={message} styles={{ root: { maxWidth: 520 } }}>
      <div className={styles.message}>{short ?? message}</div>
    </Tooltip>
  );
}
