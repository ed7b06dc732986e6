//! On-device language models for apps: load, summarize, classify, extract, chat.
