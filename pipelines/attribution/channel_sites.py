"""The sites that decide a channel: regular expressions of the names before their domains' ends.

The commonest of what GA4 lists by category (its sheet "Source categories and sources"), and the
assistants of its AI Assistant channel. `name` stands for name, name.com, www.name.co.uk; one that
other sites' names may have too says its end. What is missing, a client adds under `channels:`.
"""


def sites(names: str) -> str:
    """Return a regular expression of the names between blanks."""
    return "|".join(name.replace(".", "[.]") for name in names.split())


SEARCH = sites("""
    google bing yahoo duckduckgo ecosia baidu yandex 360.cn aol ask.com auone babylon biglobe
    centrum.cz daum dogpile email.seznam.cz eniro exalead excite firmy.cz globo.com go.mail.ru
    incredimail kvasir lycos naver onet.pl qwant rakuten.co.jp rambler search-results
    search.smt.docomo.ne.jp seznam sogou so.com startpage startsiden brave terra.com.br tut.by
    virgilio
""")
SOCIAL = sites("""
    facebook fb fb.me instagram ig linkedin lnkd.in twitter x t.co tiktok pinterest reddit
    threads.net threads.com bsky.app mastodon.social snapchat messenger.com whatsapp wa.me telegram
    t.me wechat weixin weibo qzone douban zhihu vk vkontakte ok.ru odnoklassniki line.me kakao
    mixi.jp hatena ameblo.jp gree.jp zalo tumblr flickr foursquare quora stackoverflow stackexchange
    slashdot digg disqus discord meetup nextdoor tripadvisor yelp xing viadeo yammer myspace
    livejournal blogspot blogger wordpress.com typepad medium.com goodreads glassdoor houzz hootsuite
    flipboard getpocket.com instapaper deviantart couchsurfing.org wattpad stumbleupon
    steamcommunity.com groups.google.com plus.google.com news.ycombinator.com producthunt
""")
SHOPPING = sites("""
    amazon ebay etsy aliexpress alibaba walmart mercadolibre mercadolivre shopify
    shopping.yahoo.co.jp shopping.naver.com shopzilla igshopping target.com taobao tmall jd.com
    flipkart stripe
""")
VIDEO = sites("""
    youtube youtu.be vimeo twitch dailymotion crackle.com disneyplus hulu iqiyi netflix nicovideo.jp
    rumble.com d.tube ted.com veoh wistia youku bilibili
""")
ASSISTANT = sites("""
    chatgpt openai claude deepseek grok perplexity gemini.google copilot.microsoft mistral.ai
    meta.ai
""")
