//! A local Microsoft Entra emulator.
