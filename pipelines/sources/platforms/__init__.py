"""Ask the platforms' own APIs: Google Ads, Facebook Ads, Salesforce."""
