"""Answers of oslo.policy itself. Reads a JSON list of rules, prints a JSON list: admitted or not."""
import json
import sys

from oslo_config import cfg
from oslo_policy import _checks
from oslo_policy import _parser
from oslo_policy import policy

asked = json.load(sys.stdin)
conf = cfg.ConfigOpts()
conf([])
enforcer = policy.Enforcer(conf, use_conf=False)
enforcer.set_rules(policy.Rules.from_dict(asked['rules']), overwrite=True)
print(json.dumps([
    bool(_checks._check(_parser.parse_rule(rule), asked['target'], asked['credentials'], enforcer, None))
    for rule in asked['questions']
]))
