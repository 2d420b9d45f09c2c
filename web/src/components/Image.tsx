import { Tooltip } from 'antd';
import { imageParts } from './imageParts';
import styles from './Image.module.css';

/** An image, short: the end of its repository and its tag; all of it on hover. */
export function Image({ image }: { image: string }) {
  const { name, tag } = imageParts(image);
  return (
    <Tooltip title={<span className="mono">{image}</span>}>
      <span className={`mono ${styles.image}`}>
        {name}
        {tag && <span className={styles.tag}>:{tag}</span>}
      </span>
    </Tooltip>
  );
}
