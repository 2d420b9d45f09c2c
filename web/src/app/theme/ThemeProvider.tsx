import { App as AntApp, ConfigProvider, theme as antTheme, type ThemeConfig } from 'antd';
import type { Locale } from 'antd/es/locale';
import { createContext, type ReactNode, useContext, useLayoutEffect, useMemo, useState } from 'react';
import { dark, fonts, light, type Palette, variableName } from './tokens';

export type ThemeName = 'light' | 'dark';
const STORED = 'longshore.theme';

interface ThemeChoice {
  name: ThemeName;
  choose: (name: ThemeName) => void;
}
const ThemeContext = createContext<ThemeChoice>({ name: 'light', choose: () => undefined });

export function useTheme(): ThemeChoice {
  return useContext(ThemeContext);
}

function storedTheme(): ThemeName {
  return localStorage.getItem(STORED) === 'dark' ? 'dark' : 'light';
}

function antConfig(name: ThemeName, palette: Palette): ThemeConfig {
  return {
    algorithm: name === 'dark' ? antTheme.darkAlgorithm : antTheme.defaultAlgorithm,
    token: {
      colorPrimary: palette.brand,
      colorLink: palette.brand,
      colorLinkHover: palette.brandHover,
      colorSuccess: palette.running,
      colorWarning: palette.degraded,
      colorError: palette.failed,
      colorInfo: palette.progressing,
      colorText: palette.text,
      colorTextSecondary: palette.textMuted,
      colorTextTertiary: palette.textFaint,
      colorTextDescription: palette.textFaint,
      colorTextPlaceholder: palette.textFaint,
      colorTextDisabled: palette.textFaint,
      colorBgLayout: palette.canvas,
      colorBgContainer: palette.surface,
      colorBgElevated: palette.surface,
      colorBorder: palette.lineStrong,
      colorBorderSecondary: palette.line,
      colorTextLightSolid: palette.onBrand,
      fontFamily: fonts.text,
      fontFamilyCode: fonts.code,
      fontSize: 13,
      borderRadius: 6,
      controlHeight: 32,
      boxShadowTertiary: 'none',
      motionDurationMid: '0.12s',
      motionDurationSlow: '0.18s',
    },
    components: {
      Table: {
        headerBg: palette.sunken,
        headerColor: palette.textMuted,
        headerSplitColor: 'transparent',
        rowHoverBg: palette.hover,
        rowSelectedBg: palette.brandSoft,
        rowSelectedHoverBg: palette.brandSoft,
        cellPaddingBlockSM: 7,
        cellPaddingInlineSM: 12,
      },
      Tooltip: { colorBgSpotlight: palette.rail, colorTextLightSolid: '#ffffff' },
      Tabs: { horizontalMargin: '0 0 16px 0', titleFontSize: 13 },
      Button: { primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none' },
      Card: { headerFontSize: 14 },
      Form: { itemMarginBottom: 16, verticalLabelPadding: '0 0 4px' },
    },
  };
}

export function ThemeProvider({ locale, children }: { locale: Locale; children: ReactNode }) {
  const [name, setName] = useState<ThemeName>(storedTheme);
  const palette = name === 'dark' ? dark : light;

  useLayoutEffect(() => {
    const root = document.documentElement;
    root.dataset.theme = name;
    root.style.colorScheme = name;
    for (const [token, value] of Object.entries(palette))
      root.style.setProperty(variableName(token), value as string);
    root.style.setProperty('--font-text', fonts.text);
    root.style.setProperty('--font-code', fonts.code);
  }, [name, palette]);

  const config = useMemo(() => antConfig(name, palette), [name, palette]);
  const choice = useMemo(
    () => ({
      name,
      choose: (next: ThemeName) => {
        localStorage.setItem(STORED, next);
        setName(next);
      },
    }),
    [name],
  );

  return (
    <ThemeContext value={choice}>
      <ConfigProvider theme={config} locale={locale} button={{ autoInsertSpace: false }}>
        <AntApp message={{ maxCount: 3 }} className="app-root">
          {children}
        </AntApp>
      </ConfigProvider>
    </ThemeContext>
  );
}
