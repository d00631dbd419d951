"""Every word of the page, in each language. Knows no user and no number.

The words of a language stand beside those of the other, so that none can be missing. A phrase with ``{..}`` has a
blank.
"""

from __future__ import annotations

from typing import NamedTuple


class Wording(NamedTuple):
    """One phrase in each language, named as in ISO 639-1."""

    en: str
    zh: str


LANGUAGES = Wording._fields

WORDS = {
    # the page
    "title": Wording("Your profile", "你的画像"),
    "title_of": Wording("Profile of {user}", "{user} 的画像"),
    "title_many": Wording("{count} profiles", "{count} 位用户的画像"),
    "many_lead": Wording(
        "Choose a user to see what is known of them, what is recommended, and why.",
        "选择一位用户，看看系统了解什么、推荐什么，以及为什么。",
    ),
    "user": Wording("User {user}", "用户 {user}"),
    "users": Wording("Users", "用户"),
    "all_users": Wording("All users", "全部用户"),
    "previous": Wording("Previous", "上一位"),
    "next": Wording("Next", "下一位"),
    "move": Wording("Other users", "其他用户"),
    "skip": Wording("Skip to the profile", "跳到画像"),
    "sections": Wording("On this page", "本页内容"),
    "as_of": Wording("As of ", "数据截至 "),
    "intro": Wording(
        "What the system has learned from what you did, what it recommends to you, and why.",
        "系统从你的行为中了解到什么、向你推荐什么，以及为什么。",
    ),
    "one_event": Wording("1 event", "1 条记录"),
    "n_events": Wording("{count} events", "{count} 条记录"),
    "no_events": Wording("no events", "没有记录"),
    # tiles
    "tile_events": Wording("Things you did", "行为记录"),
    "tile_events_unit": Wording("events on record", "条"),
    "tile_rate": Wording("How often", "频率"),
    "tile_rate_unit": Wording("events a week", "条／周"),
    "tile_last": Wording("Last seen", "最近一次"),
    "tile_spent": Wording("Spent in all", "消费总额"),
    "tile_spent_unit": Wording("returns deducted", "已扣除退货"),
    # interests
    "interests": Wording("What you like", "你的兴趣"),
    "interests_lead": Wording(
        "Each percentage is a part of your whole profile. Open an interest to see which events it comes from.",
        "每个百分比都是整个画像的一部分。点开一个兴趣，可以看到它来自哪些行为。",
    ),
    "interests_none": Wording(
        "Nothing is known of your interests yet. They come with the first things you do.",
        "目前还不了解你的兴趣。有了最初的行为，兴趣就会出现。",
    ),
    "other_interests": Wording("Everything else", "其余"),
    "other_events_one": Wording("1 other event", "另外 1 条记录"),
    "other_events": Wording("{count} other events", "另外 {count} 条记录"),
    "one_by_one": Wording("The others one by one", "逐条查看其余记录"),
    "stated": Wording("What you have stated yourself", "你自己声明的"),
    "sums_to": Wording("Together", "合计"),
    # recommendations
    "recommended": Wording("Recommended for you, and why", "为你推荐，以及原因"),
    "recommended_lead": Wording(
        "The bar shows what speaks for an item. Its parts are 100% together.",
        "彩条表示支持这件物品的各种理由，各部分合计为 100%。",
    ),
    "recommended_none": Wording("There is nothing to recommend.", "暂时没有可推荐的物品。"),
    "not_ranked": Wording("Not on your list", "不在推荐列表中"),
    "not_ranked_mark": Wording("–", "–"),
    "part_concepts": Wording("Your interests", "你的兴趣"),
    "part_state": Wording("The course of your events", "你最近的行为走向"),
    "part_texts": Wording("Alike in words", "文字描述相近"),
    "part_successors": Wording("What others took next", "别人接着选了什么"),
    "part_popular": Wording("Popular with everybody", "大家都喜欢"),
    "part_new_item": Wording("New here", "新品加分"),
    "part_norm": Wording("The same for everybody", "对所有人都相同"),
    "against": Wording("speaks against it", "不支持"),
    "stack": Wording("What speaks for {title}", "支持“{title}”的理由"),
    "exact": Wording("The exact numbers", "精确数字"),
    "by_part": Wording("The score by its parts", "按组成部分"),
    "by_event": Wording("The same score by your events", "同一分数，按你的行为"),
    "part": Wording("Part", "部分"),
    "event": Wording("Event", "行为"),
    "share": Wording("Points", "分值"),
    "score": Wording("Score", "总分"),
    "no_event": Wording("Not from your events", "与你的行为无关的部分"),
    # habits
    "habits": Wording("Your habits", "你的习惯"),
    "hours": Wording("Hours of the day", "一天中的时段"),
    "weekdays": Wording("Days of the week", "一周中的日子"),
    "types": Wording("What you do", "行为类型"),
    "utc": Wording("Hours and days are in UTC, the time of Greenwich.", "时段和日期均为 UTC（格林尼治时间）。"),
    "days_alone": Wording(
        "All your events are dated 0:00 UTC: this record probably knows days alone, so no hours are drawn.",
        "所有记录的时间都是 UTC 0:00，数据可能只精确到日期，因此不画时段。",
    ),
    "most_at": Wording("Most at {when}: {share}.", "最多的是{when}：{share}。"),
    "as_numbers": Wording("As numbers", "查看数字"),
    "hour": Wording("Hour", "时段"),
    "day": Wording("Day", "星期"),
    "part_of_events": Wording("Part of your events", "占比"),
    "at_hour": Wording("{hour}:00", "{hour} 时"),
    "weekday_0": Wording("Monday", "周一"),
    "weekday_1": Wording("Tuesday", "周二"),
    "weekday_2": Wording("Wednesday", "周三"),
    "weekday_3": Wording("Thursday", "周四"),
    "weekday_4": Wording("Friday", "周五"),
    "weekday_5": Wording("Saturday", "周六"),
    "weekday_6": Wording("Sunday", "周日"),
    "short_weekdays": Wording("Mon Tue Wed Thu Fri Sat Sun", "一 二 三 四 五 六 日"),
    # spending
    "spending": Wording("What you spend", "你的消费"),
    "total": Wording("In all, returns deducted", "总额（已扣除退货）"),
    "quantity": Wording("Units, returns deducted", "件数（已扣除退货）"),
    "mean_price": Wording("Price of a unit on average", "平均单价"),
    "bands": Wording("Price bands", "价位"),
    "bands_note": Wording(
        "Units you bought, by thirds of all prices in the shop.", "按商店全部价格的三等分，统计你买的件数。"
    ),
    "band_low": Wording("Low", "低"),
    "band_middle": Wording("Middle", "中"),
    "band_high": Wording("High", "高"),
    "brands": Wording("Brands", "品牌"),
    "brands_note": Wording("Of the money that went to known brands.", "占已知品牌花费的比例。"),
    # basics
    "basics": Wording("About you", "基本信息"),
    "given": Wording("on record", "已登记"),
    "estimate": Wording("an estimate, ", "估计，可能性 "),
    "likely": Wording(" likely", ""),
    "basics_note": Wording(
        "An estimate is guessed from what you did. Nobody told it to the system, and it may be wrong.",
        "“估计”是从你的行为推测的，没有人告诉过系统，可能是错的。",
    ),
    # what can be done
    "rights": Wording("What you can do", "你可以做什么"),
    "correct": Wording("Correct it. ", "更正。"),
    "correct_text": Wording(
        "If an interest is not yours, say so to whoever runs this service. It can be left out or weighed less, and one "
        "that is missing can be added. Your recommendations follow. The command is ",
        "如果某个兴趣并不属于你，请告诉这项服务的运营者：可以去掉它、减轻它，也可以补上缺少的兴趣，"
        "推荐会随之改变。对应的命令是 ",
    ),
    "forget": Wording("Be forgotten. ", "被遗忘。"),
    "forget_text": Wording(
        "You can ask them to erase you: your events, your profile and what is recommended to you. The command is ",
        "你可以要求他们删除你的一切：行为记录、画像和推荐。对应的命令是 ",
    ),
    "take": Wording("Take it with you. ", "带走数据。"),
    "take_text": Wording(
        "Every number of this page can be had as a file that machines read, with ",
        "本页的每个数字都可以导出为机器可读的文件，命令是 ",
    ),
    "stop": Wording(".", "。"),
    # small print
    "small": Wording("How exact this is", "这些数字有多精确"),
    "small_interests": Wording(
        "The parts under an interest sum to the interest. Nothing is left out but by rounding.",
        "每个兴趣下各部分之和等于该兴趣，除四舍五入外没有遗漏。",
    ),
    "small_score": Wording(
        "The parts of a score sum to the score, by parts and by events alike. What speaks against an item has a minus.",
        "无论按组成部分还是按行为，各份之和都等于总分。不支持的部分带负号。",
    ),
    "small_state": Wording(
        "“The course of your events” is what the newest of them, in their order, say beyond your interests.",
        "“你最近的行为走向”是指最近的行为按先后顺序所说明的、兴趣之外的内容。",
    ),
    "small_without": Wording(
        "“Without …” is no guess: the list was made anew from your events less that one.",
        "“如果没有”不是猜测：系统去掉那条行为后重新生成了推荐列表。",
    ),
    "small_names": Wording(
        "An interest is named by words of the items that it stands for. Names and titles are as the shop gives them.",
        "兴趣用它所代表的物品的关键词命名；名称和标题保持商家原文。",
    ),
    "made": Wording(
        "Made by engine explain. This page holds no script and asks no server for anything.",
        "由 engine explain 生成。本页不含脚本，也不向任何服务器请求内容。",
    ),
}
"""By what is said."""


ATTRIBUTES = {
    "age": Wording("age", "年龄"),
    "city": Wording("city", "城市"),
    "country": Wording("country", "国家"),
    "gender": Wording("gender", "性别"),
    "income": Wording("income", "收入"),
    "occupation": Wording("occupation", "职业"),
    "sex": Wording("sex", "性别"),
}
"""Attributes that often come; another stays as the data set names it."""


def attribute(language: str, name: str) -> str:
    """The name of an attribute of users in a language."""
    wording = ATTRIBUTES.get(name.lower())
    return name if wording is None else str(getattr(wording, language))


def say(language: str, key: str, **blanks: object) -> str:
    """A phrase with its blanks filled in."""
    phrase: str = getattr(WORDS[key], language)
    return phrase.format(**blanks) if blanks else phrase
